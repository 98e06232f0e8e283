//! One run of `cargo bench --no-run`, and what it made.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Artifact, BuildScript, Message, Package, PackageId, TargetKind};

use crate::plan::Selection;
use crate::units::{Event, EventSink};

use super::broken::{self, BrokenPackage, BrokenTarget, Errors};
use super::error::BuildError;
use super::rustc_wrapper::{self, CrateNames};
use super::targets::Targets;
use super::tool::{Ask, Finished, Tools};
use super::waits::Waits;
use super::workspace::{Workspace, feature_words, network_words};

/// What cargo made.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) artifacts: Vec<Artifact>,
    pub(super) scripts: Vec<BuildScript>,
    /// Bench targets that were left out.
    pub(super) broken: Vec<BrokenTarget>,
    pub(super) took: Duration,
    pub(super) waits: Waits,
}

impl Compiled {
    /// Whether cargo compiled anything, instead of taking all of it from an earlier build.
    pub(super) fn made_anything(&self) -> bool {
        self.artifacts.iter().any(|artifact| !artifact.fresh)
    }

    /// Adds what a later run of cargo of the same build made.
    pub(super) fn add(&mut self, mut later: Compiled) {
        later.claim(&self.made());
        self.artifacts.extend(later.artifacts);
        self.scripts.extend(later.scripts);
        self.took += later.took;
        self.waits.extend(later.waits);
    }

    /// The files that cargo compiled in this run.
    fn made(&self) -> HashSet<Utf8PathBuf> {
        let compiled = self.artifacts.iter().filter(|artifact| !artifact.fresh);
        let files = compiled.flat_map(|artifact| &artifact.filenames);
        files.cloned().collect()
    }

    /// Counts files as made by this build that an earlier cargo run of the same build compiled, and that cargo now
    /// takes as fresh.
    pub(super) fn claim(&mut self, made: &HashSet<Utf8PathBuf>) {
        for artifact in &mut self.artifacts {
            artifact.fresh &= !artifact.filenames.iter().all(|file| made.contains(file));
        }
    }
}

/// The profile's name.
pub(super) fn profile(selection: &Selection) -> &str {
    selection.profile.as_deref().unwrap_or("bench")
}

/// `cargo bench --no-run` with the plan's selection.
///
/// Line tables and symbols come through the profile's variables, which change no code, never
/// through `RUSTFLAGS`, which would override the project's own flags.
pub(super) fn ask(selection: &Selection, targets: &Targets, target_dir: &Path) -> Ask {
    let mut words: Vec<String> = vec!["bench".to_owned(), "--no-run".to_owned()];
    if let Targets::Named(names) = targets {
        push_pairs(&mut words, "--bench", names);
    }
    if let Some(profile) = &selection.profile {
        words.extend(["--profile".to_owned(), profile.clone()]);
    }
    push_selection(&mut words, selection);
    with_symbols(Ask::new("cargo", words), profile(selection), target_dir)
}

/// The same call with line tables and symbols, and with messages for programs.
fn with_symbols(ask: Ask, profile: &str, target_dir: &Path) -> Ask {
    let variable = |key: &str| {
        let profile = profile.to_uppercase().replace('-', "_");
        format!("CARGO_PROFILE_{profile}_{key}")
    };
    ask.ours([
        "--message-format=json".as_ref(),
        "--target-dir".as_ref(),
        target_dir.as_os_str(),
    ])
    // Line tables alone name inlined functions without their paths. The number is understood by
    // every cargo, the word ("limited") since 1.71 only.
    .env(variable("DEBUG"), "1")
    .env(variable("STRIP"), "none")
    // Keeps them in the executable, where perfcheck looks for them, whatever the project's profile says.
    .env(variable("SPLIT_DEBUGINFO"), "off")
    // Intermediate files, too; a build folder that both sides share would mix them up.
    .env("CARGO_BUILD_BUILD_DIR", target_dir)
}

/// `cargo build --bins --release` with the plan's selection, for the files that a release would have.
pub(super) fn ask_for_binaries(selection: &Selection, target_dir: &Path) -> Ask {
    let words = ["build", "--bins", "--release"];
    let mut words: Vec<String> = words.map(str::to_owned).to_vec();
    push_selection(&mut words, selection);
    Ask::new("cargo", words)
        .ours([
            "--message-format=json".as_ref(),
            "--target-dir".as_ref(),
            target_dir.as_os_str(),
        ])
        .env("CARGO_BUILD_BUILD_DIR", target_dir)
}

/// `cargo build` of these packages' `targets` (flags and names) for release, or with the plan's profile. Line tables and
/// symbols come as for benchmarks.
pub(super) fn ask_for_programs(
    selection: &Selection,
    mut packages: Vec<String>,
    targets: Vec<String>,
    target_dir: &Path,
) -> Ask {
    packages.sort();
    packages.dedup();
    let profile = selection.profile.as_deref().unwrap_or("release");
    let mut words = ["build", "--profile", profile].map(str::to_owned).to_vec();
    push_pairs(&mut words, "-p", &packages);
    words.extend(targets);
    let own = Selection {
        packages: Vec::new(),
        exclude: Vec::new(),
        workspace: false,
        ..selection.clone()
    };
    push_selection(&mut words, &own);
    with_symbols(Ask::new("cargo", words), profile, target_dir)
}

/// Adds the plan's options for packages, features and the network.
fn push_selection(words: &mut Vec<String>, selection: &Selection) {
    push_pairs(words, "-p", &selection.packages);
    push_pairs(words, "--exclude", &selection.exclude);
    if selection.workspace {
        words.push("--workspace".to_owned());
    }
    if let Some(target) = &selection.target {
        words.extend(["--target".to_owned(), target.clone()]);
    }
    words.extend(feature_words(selection));
    words.extend(network_words(selection).map(str::to_owned));
}

fn push_pairs(words: &mut Vec<String>, flag: &str, values: &[String]) {
    for value in values {
        words.extend([flag.to_owned(), value.clone()]);
    }
}

/// Why a run of cargo did not make what was asked for.
#[derive(Debug)]
pub(super) struct CompileFailure {
    pub(super) error: Box<BuildError>,
    /// The bench targets that do not compile, where nothing else is wrong.
    broken: Vec<BrokenTarget>,
    /// The packages that do not compile, where the compiler says so.
    packages: Vec<BrokenPackage>,
    /// What cargo compiled before it gave up. It is fresh to the next run of the same build.
    pub(super) made: HashSet<Utf8PathBuf>,
}

impl CompileFailure {
    /// The bench targets that cannot be built.
    pub(super) fn broken(
        &self,
        selected: &[&Package],
        resolved: Option<&Workspace>,
    ) -> Vec<BrokenTarget> {
        let Some(workspace) = resolved.filter(|_| self.broken.is_empty()) else {
            return self.broken.clone();
        };
        match &*self.error {
            BuildError::ToolFailed { message, .. } => {
                let broken = broken::of_scripts(workspace, message);
                broken::in_need(selected, workspace, &broken)
            }
            _ => broken::in_need(selected, workspace, &self.packages),
        }
    }
}

impl From<BuildError> for CompileFailure {
    fn from(error: BuildError) -> Self {
        CompileFailure {
            error: Box::new(error),
            broken: Vec::new(),
            packages: Vec::new(),
            made: HashSet::new(),
        }
    }
}

/// Runs cargo to its end. `total` is how many packages take part, for the progress.
///
/// # Errors
/// Where the source does not compile or cargo fails in another way.
pub(super) fn run(
    tools: &Tools<'_>,
    ask: &Ask,
    names: CrateNames,
    total: Option<usize>,
    name_of: impl Fn(&PackageId) -> Option<String>,
    events: EventSink<'_>,
) -> Result<Compiled, CompileFailure> {
    let started = Instant::now();
    let ask = &rustc_wrapper::around(ask, tools, names)
        .map_err(|source| tools.io("write the wrapper around rustc", source))?;
    let mut compiled = Compiled::default();
    let mut errors = Errors::default();
    let mut packages = HashSet::new();
    let mut waits = Waits::default();
    let mut since = started;
    let finished = tools.lines(ask, |line| match serde_json::from_str(line) {
        Ok(Message::CompilerArtifact(artifact)) => {
            let last_of_package = !artifact.target.is_kind(TargetKind::CustomBuild);
            if last_of_package && packages.insert(artifact.package_id.clone()) {
                events(Event::Compiled {
                    side: tools.at.side,
                    krate: name_of(&artifact.package_id)
                        .unwrap_or_else(|| artifact.target.name.clone()),
                    done: packages.len(),
                    total: total.map(|total| total.max(packages.len())),
                });
            }
            let before = std::mem::replace(&mut since, Instant::now());
            if !artifact.fresh {
                let krate = name_of(&artifact.package_id);
                waits.add(
                    krate.unwrap_or_else(|| artifact.target.name.clone()),
                    since - before,
                );
            }
            compiled.artifacts.push(artifact);
        }
        Ok(Message::BuildScriptExecuted(script)) => compiled.scripts.push(script),
        Ok(Message::CompilerMessage(message)) => {
            let is_error = matches!(
                message.message.level,
                DiagnosticLevel::Error | DiagnosticLevel::Ice
            );
            if is_error {
                errors.push(message);
            }
        }
        // Build scripts' and macros' own output, and messages of later versions.
        _ => {}
    })?;
    if !finished.success {
        let error = failure(tools, ask, &errors, finished);
        let name_of =
            |package: &PackageId| name_of(package).unwrap_or_else(|| package.repr.clone());
        let (packages, broken) = match &error {
            BuildError::DoesNotCompile { .. } => (errors.packages(), errors.broken(name_of)),
            _ => (Vec::new(), Vec::new()),
        };
        let error = Box::new(error);
        return Err(CompileFailure {
            error,
            broken,
            packages,
            made: compiled.made(),
        });
    }
    compiled.took = started.elapsed();
    compiled.waits = waits;
    Ok(compiled)
}

fn failure(tools: &Tools<'_>, ask: &Ask, errors: &Errors, finished: Finished) -> BuildError {
    let rendered = errors.rendered();
    let full_disk = rendered.contains("No space left on device");
    if rendered.is_empty() || full_disk {
        let message = if full_disk { rendered } else { finished.stderr };
        return tools.failed(ask, message);
    }
    BuildError::DoesNotCompile {
        at: tools.at.clone(),
        errors: rendered.trim_end().to_owned(),
        command: tools.typed(ask),
    }
}
