//! Building one side.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{Package, PackageId};
use fs_err as fs;

use crate::plan::Selection;
use crate::process::Runner;
use crate::revision::Checkout;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Side};

use super::broken;
use super::by_products::ByProducts;
use super::compile::{self, Compiled};
use super::error::BuildError;
use super::kept::{Kept, Record};
use super::line_tables::LineTables;
use super::provenance::Provenance;
use super::reuse::{self, Reusable};
use super::rustc_wrapper::CrateNames;
use super::rustup::Rustup;
use super::targets::Targets;
use super::tool::{self, Tools};
use super::workspace::Workspace;
use super::{
    Build, LockFile, Toolchain, cargo_config, left_behind, lock, path_dependencies, platform,
    runner, toolchain,
};

/// A side before its build: its checkout and what its manifests say.
#[derive(Debug)]
pub(super) struct BuildSite<'a> {
    pub(super) tools: Tools<'a>,
    pub(super) checkout: &'a Checkout,
    pub(super) members: Workspace,
    pub(super) toolchain: Toolchain,
    /// Where the standard library's own libraries are.
    pub(super) library_dir: PathBuf,
}

/// What is asked of a build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Where the side's lock file came from.
    pub(super) lock_file: LockFile,
    /// The graph of its dependencies, where cargo could tell.
    pub(super) resolved: Option<&'a Workspace>,
    /// Who names the crates of the checkout.
    pub(super) names: CrateNames,
    /// The other side's target folder, and what of it may be used.
    pub(super) start: Option<(&'a Path, &'a Reusable)>,
    pub(super) selection: &'a Selection,
    /// Where builds are kept, if they are.
    pub(super) kept: Option<&'a Kept>,
}

impl<'a> BuildSite<'a> {
    /// Reads a checkout's manifests and asks for its toolchain.
    ///
    /// # Errors
    /// The manifest is missing or broken, a dependency lies outside the repository, or the tools
    /// are missing.
    pub(super) fn open(
        scratch: &'a Scratch,
        side: Side,
        checkout: &'a Checkout,
        rustup: &Rustup,
    ) -> Result<BuildSite<'a>, BuildError> {
        let choice = rustup.choice(&checkout.root, checkout.folder());
        let tools = Tools::new(scratch, side, checkout).of_toolchain(choice);
        if !checkout.manifest_path.is_file() {
            let inside = checkout.manifest_path.strip_prefix(&checkout.root);
            return Err(BuildError::NoManifest {
                at: tools.at,
                manifest: inside.unwrap_or(&checkout.manifest_path).to_owned(),
            });
        }
        let mut toolchain = toolchain::detect(&tools)?;
        let library_dir = toolchain::library_dir(&tools)?;
        let libraries = toolchain::stamp(&library_dir);
        let libraries =
            libraries.map_err(|source| tools.io("look at the standard library", source))?;
        toolchain.verbose.push_str(&libraries);
        toolchain.choice = choice.cloned();
        let members = Workspace::of_members(&tools, checkout)
            .map_err(|error| path_dependencies::explain(error, checkout))?;
        Ok(BuildSite {
            tools,
            checkout,
            members,
            toolchain,
            library_dir,
        })
    }

    pub(super) fn in_repository(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.checkout.root)
            .unwrap_or(path)
            .to_owned()
    }

    /// The workspace's root folder, relative to the repository's.
    pub(super) fn workspace_in_repository(&self) -> &Path {
        let inside = self.members.root().strip_prefix(&self.checkout.root);
        inside.unwrap_or(Path::new(""))
    }

    /// The graph of dependencies. Without it (offline, say, when another package of the workspace would have to be
    /// fetched first) the build still runs, and cargo itself says what is wrong.
    pub(super) fn resolve(&self, selection: &Selection) -> Option<Workspace> {
        let host = &self.toolchain.host;
        Workspace::of_all(&self.tools, self.checkout, selection, host).ok()
    }

    /// The program that starts the benchmarks, if there is one.
    ///
    /// # Errors
    /// They are built for another machine, or the program is missing.
    pub(super) fn runner(&self, selection: &Selection) -> Result<Option<Runner>, BuildError> {
        let asked = selection.target.as_deref();
        let target = platform::target(&self.tools, &self.toolchain, asked)?;
        let (root, host) = (&self.checkout.root, &self.toolchain.host);
        runner::of(&self.tools, root, host, target.as_deref())
    }

    /// Builds the selected benchmarks.
    ///
    /// # Errors
    /// Where the source does not compile, cargo fails in another way, files cannot be used, or an
    /// executable turns out to be from elsewhere.
    pub(super) fn build(
        &self,
        wish: &Wish<'_>,
        events: EventSink<'_>,
    ) -> Result<Build, BuildError> {
        let side = self.tools.at.side;
        let selection = wish.selection;
        events(Event::BuildStarted { side });
        let target_dir = tool::target_dir(self.tools.place(), side);
        let earlier = self.earlier(wish)?;
        self.start(wish, &target_dir)?;
        let compiled = match (self.compile(wish, earlier.clone(), events), wish.kept) {
            (Err(BuildError::Stale { reason, .. }), Some(kept)) if earlier.is_some() => {
                let message = format!("the kept build of {side} is not used: {reason}");
                events(Event::Warning { message });
                kept.discard(side)
                    .map_err(|source| self.tools.io("remove a kept build", source))?;
                self.start(wish, &target_dir)?;
                self.compile(wish, None, events)?
            }
            (compiled, _) => compiled?,
        };
        let executables = self.executables(wish.resolved, &compiled);
        let programs = self.built_programs(wish, &compiled);
        let by_products = ByProducts::of(&compiled, |id| self.package(wish.resolved, id));
        events(Event::BuildFinished {
            side,
            took: compiled.took,
            executables: executables.len(),
            programs: programs.len(),
        });
        Ok(Build {
            checkout: self.checkout.clone(),
            workspace_root: self.members.root().to_owned(),
            target_dir,
            unbuilt: broken::unbuilt(
                &self.members.selected(selection),
                &executables,
                &compiled.broken,
                selection,
            ),
            broken: compiled.broken,
            executables,
            programs,
            by_products,
            toolchain: self.toolchain.clone(),
            profile: compile::profile(selection).to_owned(),
            locked: lock::versions(self.members.root()),
            lock_file: wish.lock_file,
            took: compiled.took,
            waits: compiled.waits,
            notes: Vec::new(),
            kept: None,
        })
    }

    /// The record of the last build here, where builds are kept and it can be trusted.
    fn earlier(&self, wish: &Wish<'_>) -> Result<Option<Record>, BuildError> {
        let Some(kept) = wish.kept else {
            return Ok(None);
        };
        kept.take_record(self.tools.at.side, &self.toolchain.verbose)
            .map_err(|source| self.tools.io("look at an earlier build", source))
    }

    /// Prepares the target folder from what is still valid of an earlier build, or from the other side's compiled
    /// dependencies.
    fn start(&self, wish: &Wish<'_>, target_dir: &Path) -> Result<(), BuildError> {
        if let Some(kept) = wish.kept {
            let outside = wish
                .resolved
                .map(|graph| Reusable::outside(graph, &self.checkout.root));
            kept.drop_outdated(self.tools.at.side, outside.as_ref())
                .map_err(|source| self.tools.io("remove an outdated build", source))?;
        }
        match wish.start {
            Some((from, reusable)) if from.is_dir() && !target_dir.exists() => {
                reuse::copy(from, target_dir, reusable)
                    .map_err(|source| self.tools.io("copy compiled dependencies", source))
            }
            _ => Ok(()),
        }
    }

    fn compile(
        &self,
        wish: &Wish<'_>,
        earlier: Option<Record>,
        events: EventSink<'_>,
    ) -> Result<Compiled, BuildError> {
        let Wish {
            selection,
            resolved,
            ..
        } = *wish;
        let target_dir = tool::target_dir(self.tools.place(), self.tools.at.side);
        let selected = self.members.selected(selection);
        let targets = Targets::of(&selected, selection);
        if targets.is_empty() && selection.programs.is_empty() {
            return Ok(Compiled::default());
        }
        let other = self.tools.at.side.other();
        let foreign = vec![
            self.checkout.root.with_file_name(other.name()),
            tool::target_dir(self.tools.place(), other),
        ];
        let root = self.members.root();
        let own = &self.checkout.root;
        let provenance = Provenance::begin(own, foreign, root, &target_dir, earlier)
            .map_err(|source| self.tools.io("write into the target folder", source))?;
        let compiled = self
            .run_cargo_for_all(wish, targets, &selected, events)
            .map_err(|error| path_dependencies::explain(error, self.checkout))
            .map_err(|error| left_behind::explain(error, self.checkout, self.members.root()))?;
        for artifact in &compiled.artifacts {
            let objection = provenance
                .objection(artifact)
                .map_err(|source| self.tools.io("check where an executable is from", source))?;
            if let Some(reason) = objection {
                return Err(BuildError::Stale {
                    at: self.tools.at.clone(),
                    package: self
                        .package_name(resolved, &artifact.package_id)
                        .unwrap_or_else(|| artifact.target.name.clone()),
                    target: artifact.target.name.clone(),
                    reason,
                });
            }
        }
        if let Some(kept) = wish.kept {
            provenance
                .record(&self.toolchain.verbose, &compiled.artifacts)
                .and_then(|record| kept.put_record(self.tools.at.side, record, &compiled))
                .map_err(|source| self.tools.io("record what was built", source))?;
        }
        Ok(compiled)
    }

    /// Runs cargo for benchmarks, if there are some, and then for the programs of workloads.
    fn run_cargo_for_all(
        &self,
        wish: &Wish<'_>,
        targets: Targets,
        selected: &[&Package],
        events: EventSink<'_>,
    ) -> Result<Compiled, BuildError> {
        let mut compiled = match targets.is_empty() {
            true => Compiled::default(),
            false => self.run_cargo(wish, targets, selected, events)?,
        };
        self.add_programs(wish, &mut compiled, events)?;
        Ok(compiled)
    }

    /// Runs cargo, and once more without the bench targets that do not compile, as long as others are left.
    fn run_cargo(
        &self,
        wish: &Wish<'_>,
        mut targets: Targets,
        selected: &[&Package],
        events: EventSink<'_>,
    ) -> Result<Compiled, BuildError> {
        let target_dir = tool::target_dir(self.tools.place(), self.tools.at.side);
        let mut left_out = Vec::new();
        let mut made = HashSet::new();
        let line_tables = self.line_tables(wish);
        loop {
            let ask = compile::ask(wish.selection, &targets, &target_dir);
            let compiled = compile::run(
                &self.tools,
                &ask.ours(line_tables.words()),
                wish.names,
                wish.resolved
                    .and_then(|workspace| workspace.reachable(selected)),
                |package| self.package_name(wish.resolved, package),
                events,
            );
            let failure = match compiled {
                Ok(mut compiled) => {
                    compiled.claim(&made);
                    return Ok(Compiled {
                        broken: left_out,
                        ..compiled
                    });
                }
                Err(failure) => failure,
            };
            let broken = failure.broken(selected, wish.resolved);
            match targets.without(&broken, selected, wish.resolved) {
                Some(rest) => targets = rest,
                None => return Err(*failure.error),
            }
            made.extend(failure.made);
            for broken in broken {
                let message = format!(
                    "{} {} of {} {}; the others go on",
                    broken.package,
                    broken.target,
                    self.tools.at,
                    broken.reason()
                );
                events(Event::Warning { message });
                left_out.push(broken);
            }
        }
    }

    /// What keeps the lines and symbols of the repository's own crates.
    pub(super) fn line_tables(&self, wish: &Wish<'_>) -> LineTables {
        let manifest = fs::read_to_string(self.members.root().join("Cargo.toml"));
        // Cargo reports what is wrong with the manifest.
        let manifest = manifest.unwrap_or_default().parse().unwrap_or_default();
        let files = cargo_config::files(&self.tools.dir);
        let profile = compile::profile(wish.selection);
        let packages = wish.resolved.unwrap_or(&self.members);
        let packages = packages.own_packages(&self.checkout.root);
        LineTables::of(profile, &manifest, &files, packages, &self.toolchain.cargo)
    }

    fn package<'p>(
        &'p self,
        resolved: Option<&'p Workspace>,
        id: &PackageId,
    ) -> Option<&'p Package> {
        let known = resolved.and_then(|workspace| workspace.package(id));
        known.or_else(|| self.members.package(id))
    }

    pub(super) fn package_name(
        &self,
        resolved: Option<&Workspace>,
        id: &PackageId,
    ) -> Option<String> {
        Some(self.package(resolved, id)?.name.to_string())
    }
}
