//! What can go wrong while building.

use std::io;
use std::path::PathBuf;

use crate::process::Interrupted;
use crate::revision::{Revision, Source};
use crate::units::Side;

/// A side and its revision, as messages name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Where {
    /// The side.
    pub side: Side,
    /// The short commit id.
    pub short_id: String,
    /// Whether it is the commit's tree or the user's files.
    pub source: Source,
}

impl Where {
    pub(super) fn new(side: Side, revision: &Revision) -> Where {
        Where {
            side,
            short_id: revision.short_id.clone(),
            source: revision.source,
        }
    }

    /// The command line that repeats `command` on this revision.
    fn repeat(&self, command: &str) -> String {
        match self.source {
            Source::Commit => format!("git switch --detach {} && {command}", self.short_id),
            Source::WorkingTree => command.to_owned(),
        }
    }
}

impl std::fmt::Display for Where {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.source {
            Source::Commit => write!(f, "the {} side ({})", self.side, self.short_id),
            Source::WorkingTree => write!(f, "the {} side (working tree)", self.side),
        }
    }
}

/// Where a runner would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnerPlace {
    /// In the checkout: the program's path starts at its root.
    Checkout,
    /// On the `PATH`, or at an absolute path.
    Elsewhere,
}

/// Why the benchmarks could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The manifest that the plan names is missing on one side.
    #[error("{at} has no {}", manifest.display())]
    NoManifest {
        /// Where it is missing.
        at: Where,
        /// The manifest, relative to the repository's root.
        manifest: PathBuf,
    },
    /// A symbolic link of the revision would have cargo write outside the checkout.
    #[error("on {at}, {} is a symbolic link that leads out of the repository", link.display())]
    LinkedOut {
        /// Where.
        at: Where,
        /// The link, relative to the repository's root.
        link: PathBuf,
    },
    /// No selected package has a benchmark, and several others of the repository do.
    #[error("no selected package has a benchmark; those that have some: {}", listed(.manifests))]
    BenchesElsewhere {
        /// Their manifests, relative to the repository's root.
        manifests: Vec<PathBuf>,
        /// What to type for each.
        commands: Vec<String>,
    },
    /// No selected package has a benchmark, and another that does is on one side only.
    #[error("no selected package has a benchmark, and {} is on the {side} side only", manifest.display())]
    BenchesOneSided {
        /// The side that has it.
        side: Side,
        /// Its manifest, relative to the repository's root.
        manifest: PathBuf,
    },
    /// `-p` names a package that one side does not have.
    #[error("{at} has no package `{package}`")]
    NoSuchPackage {
        /// Where it is missing.
        at: Where,
        /// The name, as typed.
        package: String,
        /// The most similar names that are there.
        near: Vec<String>,
    },
    /// `--bench` names a target that neither side has.
    #[error("neither side has a bench target `{bench}`")]
    NoSuchBench {
        /// The name, as typed.
        bench: String,
        /// The most similar names that are there.
        near: Vec<String>,
    },
    /// A workload names a program that neither side has.
    #[error("neither side has a program or example `{program}`")]
    NoSuchProgram {
        /// The name, as typed.
        program: String,
        /// The most similar names that are there.
        near: Vec<String>,
    },
    /// Several packages have a program of this name.
    #[error("on {at}, `{}` and `{}` both have a program or example `{program}`", packages[0], packages[1])]
    AmbiguousProgram {
        /// Where.
        at: Where,
        /// The name, as typed.
        program: String,
        /// The first packages that have it.
        packages: [String; 2],
    },
    /// Two packages' programs were built to one place, where only the last one is.
    #[error("on {at}, `{}` and `{}` both build `{program}` to one place", packages[0], packages[1])]
    ClashingPrograms {
        /// Where.
        at: Where,
        /// The program.
        program: String,
        /// The packages.
        packages: [String; 2],
    },
    /// No selected package has a bench target on either side.
    #[error("no selected package has a bench target on either side")]
    NoBenchTargets,
    /// The default target is no machine that this one can stand in for.
    #[error("{at} is built for {target} ({named_in}), whose benchmarks cannot run on this machine")]
    ForeignTarget {
        /// Which side.
        at: Where,
        /// The target, as it is named.
        target: String,
        /// The variable or file that names it.
        named_in: String,
        /// What this machine is.
        host: String,
    },
    /// The program that is to start the benchmarks is not there.
    #[error("{at} starts its benchmarks with `{}` ({named_in}), which does not exist", program.display())]
    NoRunner {
        /// Which side.
        at: Where,
        /// The program.
        program: PathBuf,
        /// Where it would be.
        place: RunnerPlace,
        /// The setting and its file, or the variable.
        named_in: String,
        /// The variable that outranks it.
        variable: String,
    },
    /// A path dependency outside the repository has no version at each revision.
    #[error(
        "on {at}, package `{package}` depends on `{dependency}` by a path outside the repository ({})",
        path.display()
    )]
    PathOutside {
        /// Which side.
        at: Where,
        /// The package whose manifest says so.
        package: String,
        /// The dependency.
        dependency: String,
        /// Where it leads from the user's checkout.
        path: PathBuf,
    },
    /// The compiler rejects the source.
    #[error("{at} does not compile\n\n{errors}")]
    DoesNotCompile {
        /// Which side.
        at: Where,
        /// The compiler's own words, several lines.
        errors: String,
        /// The command line, without the arguments that perfcheck adds.
        command: String,
    },
    /// A build failed, and its words name a file that git does not track.
    #[error("{cause}\n\n{} is in your checkout and in no revision: git does not track it", path.display())]
    LeftBehind {
        /// The file, from the top of the repository.
        path: PathBuf,
        /// How the build failed.
        cause: Box<BuildError>,
    },
    /// `--locked` (or `--frozen`) with a lock file that is missing or needs an update.
    #[error("the lock file of {at} cannot be used as it is\n\n{message}")]
    LockFile {
        /// Which side.
        at: Where,
        /// Cargo's own words.
        message: String,
    },
    /// Cargo (or rustc) failed in another way.
    #[error("`{command}` failed on {at}\n\n{message}")]
    ToolFailed {
        /// Which side.
        at: Where,
        /// The command line, without the arguments that perfcheck adds.
        command: String,
        /// The last lines of its stderr.
        message: String,
    },
    /// Cargo (or rustc) could not be started.
    #[error("cannot start `{program}` for {at}")]
    ToolMissing {
        /// Which side.
        at: Where,
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Cargo's output is not in its documented format.
    #[error("cannot understand the output of `{command}` on {at}")]
    ToolOutput {
        /// Which side.
        at: Where,
        /// The command line, without the arguments that perfcheck adds.
        command: String,
        /// What is wrong with it.
        source: cargo_metadata::Error,
    },
    /// No space left.
    #[error("the disk is full: no space left in {}", folder.display())]
    DiskFull {
        /// Where the builds are.
        folder: PathBuf,
    },
    /// An executable was not made from its own side's source in this build.
    #[error("the executable of `{package}` bench `{target}` on {at} cannot be trusted: {reason}")]
    Stale {
        /// Which side.
        at: Where,
        /// The package.
        package: String,
        /// The target.
        target: String,
        /// What shows it.
        reason: String,
    },
    /// A file that configures builds appeared above the checkouts while they were built.
    #[error("{} appeared above the checkouts during the build, and may have reached one side alone", file.display())]
    Disturbed {
        /// The file.
        file: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} for {at}")]
    Io {
        /// Which side.
        at: Where,
        /// What was being done.
        doing: &'static str,
        /// What the system said, with the path.
        source: io::Error,
    },
    /// A signal told the run to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn listed(manifests: &[PathBuf]) -> String {
    let all: Vec<_> = manifests
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    all.join(", ")
}

impl BuildError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            BuildError::NoManifest { .. } => Some(
                "compare revisions that both have it, or name another one with --manifest-path"
                    .to_owned(),
            ),
            BuildError::LinkedOut { link, .. } => Some(format!(
                "replace {} by what it points at, so that both revisions have their own",
                link.display()
            )),
            BuildError::BenchesElsewhere { commands, .. } => {
                Some(format!("choose one: {}", commands.join(", or ")))
            }
            BuildError::BenchesOneSided { .. } => {
                Some("compare revisions that both have its benchmarks".to_owned())
            }
            BuildError::NoSuchPackage { near, package, .. } => Some(match near.first() {
                Some(near) => format!("did you mean `-p {near}`?"),
                None => format!("leave out `-p {package}`, or compare revisions that both have it"),
            }),
            BuildError::NoSuchBench { near, .. } => Some(match near.first() {
                Some(near) => format!("did you mean `--bench {near}`?"),
                None => "leave out `--bench` to run all of them".to_owned(),
            }),
            BuildError::NoSuchProgram { near, .. } => Some(match near.first() {
                Some(near) => format!("did you mean `{{bin:{near}}}`?"),
                None => "a program is a `[[bin]]`, `src/main.rs`, `src/bin/NAME.rs` or `examples/NAME.rs` of a member \
                         of the workspace"
                    .to_owned(),
            }),
            BuildError::AmbiguousProgram { program, packages, .. } => {
                Some(format!("name the package: `{{bin:{}/{program}}}`", packages[0]))
            }
            BuildError::ClashingPrograms { .. } => Some(
                "compare the programs of one of the packages at a time, or give one of them another name".to_owned(),
            ),
            BuildError::NoBenchTargets => Some(
                "add a Criterion benchmark (`[[bench]]` in Cargo.toml), or select more packages with --workspace"
                    .to_owned(),
            ),
            BuildError::ForeignTarget { host, .. } => Some(format!(
                "build for this machine: --target {host}"
            )),
            BuildError::NoRunner {
                program,
                place,
                variable,
                ..
            } => Some(match place {
                // Perhaps git ignores it.
                RunnerPlace::Checkout => format!(
                    "commit it, or bring it to both sides with --carry {}; {variable}=env starts benchmarks without it",
                    crate::units::quoted(&program.display().to_string())
                ),
                RunnerPlace::Elsewhere => format!("install it; {variable}=env starts benchmarks without it"),
            }),
            BuildError::PathOutside { .. } => Some(
                "move it into the repository, or depend on it by `git` or by version: only what is \
                 in the repository exists at both revisions"
                    .to_owned(),
            ),
            BuildError::DoesNotCompile { at, command, .. }
            | BuildError::ToolFailed { at, command, .. } => {
                Some(format!("to see it for yourself: {}", at.repeat(command)))
            }
            BuildError::LeftBehind { path, .. } => Some(format!(
                "bring it to both sides: --carry {}",
                crate::units::quoted(&path.display().to_string())
            )),
            BuildError::LockFile { .. } => {
                Some("leave out --locked (or --frozen), or commit a lock file that fits".to_owned())
            }
            BuildError::ToolMissing { program, .. } => {
                Some(format!("`{program} --version` should work in this terminal"))
            }
            BuildError::DiskFull { .. } => Some(
                "free some space, or name a folder on another disk with --target-dir".to_owned(),
            ),
            BuildError::Stale { .. } => Some(
                "this is a defect of cargo-perfcheck or of the clock: please report it, with \
                 the output of `cargo --version`"
                    .to_owned(),
            ),
            BuildError::Disturbed { .. } => Some(
                "run the same command again: builds then lie where that file does not reach".to_owned(),
            ),
            BuildError::ToolOutput { .. } | BuildError::Io { .. } | BuildError::Interrupted(_) => {
                None
            }
        }
    }
}
