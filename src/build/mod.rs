//! From two checkouts to two sets of benchmark executables.
//!
//! Both sides are built with cargo's own `bench` profile and the plan's selection, the base side
//! first; each has a target folder of its own, of equal length, so that the same source gives the
//! same code. Dependencies from outside the repository are compiled once and copied ([`reuse`]);
//! [`provenance`] proves that no executable is the other side's.

mod binaries;
mod broken;
mod by_products;
mod cargo_config;
mod cargo_version;
mod checks;
mod compile;
mod criterion_package;
mod dep_info;
mod elsewhere;
mod error;
mod executables;
mod fault;
mod kept;
mod left_behind;
mod line_tables;
mod links;
mod lock;
mod path_dependencies;
mod platform;
mod programs;
mod provenance;
mod relink;
mod reuse;
mod runner;
mod runtime;
mod rustc_wrapper;
mod rustflags;
mod rustup;
mod script_inputs;
mod side;
mod targets;
mod tool;
mod toolchain;
mod waits;
mod workspace;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::binary::Tree;
use crate::plan::{Plan, Selection};
use crate::process::Runner;
use crate::revision::Checkout;
use crate::scratch::Scratch;
use crate::units::{Event, EventSink, Paired, Side};

pub use binaries::{BinarySize, binary_sizes};
pub use broken::BrokenTarget;
pub use by_products::{BuiltProgram, ByProducts, ScriptOutput};
pub use criterion_package::CriterionPackage;
pub use error::{BuildError, RunnerPlace, Where};
pub use kept::{Cleaned, clean};
pub use relink::{KeptLink, RelinkError};
pub use rustup::{Chooser, ChosenToolchain};
pub use waits::Waits;

use cargo_config::{Includes, Surroundings, tracked};
use checks::{check_benches, check_packages, names_of_crates, undisturbed};
use kept::{Kept, Places};
use lock::LockSite;
use programs::check_programs;
use reuse::Reusable;
use rustup::Rustup;
use side::{BuildSite, Wish};
use workspace::Workspace;

/// A side, built.
#[derive(Debug, Clone)]
pub struct Build {
    /// What was built.
    pub checkout: Checkout,
    /// The workspace's root folder in the checkout: the compiler was run there, and relative paths in
    /// executables start there.
    pub workspace_root: PathBuf,
    /// Where cargo put it.
    pub target_dir: PathBuf,
    /// Every bench target that was built, in the order of (package, target).
    pub executables: Vec<Executable>,
    /// The programs and examples that workloads name, in the order of (package, name).
    pub programs: Vec<Executable>,
    /// What else was made that a benchmark may load, start or read while it runs.
    pub by_products: ByProducts,
    /// Bench targets of the selection that cargo did not build (`required-features`), by
    /// (package, target) with the reason.
    pub unbuilt: Vec<UnbuiltTarget>,
    /// Bench targets that do not compile, while others do.
    pub broken: Vec<BrokenTarget>,
    /// The compiler and cargo that built it.
    pub toolchain: Toolchain,
    /// The profile's name.
    pub profile: String,
    /// Package name to version of everything in the lock file that was used, sorted.
    pub locked: BTreeMap<String, Vec<String>>,
    /// Whether the lock file is tracked in this revision, or was made for both sides alike.
    pub lock_file: LockFile,
    /// How long the build took.
    pub took: std::time::Duration,
    /// For which crates it waited.
    pub waits: Waits,
    /// Notes, for example on the user's own configuration that applies to both sides, as lower-case fragments.
    pub notes: Vec<String>,
    /// Locks the folder that it lies in, if that outlives the run.
    kept: Option<Arc<Kept>>,
}

impl Build {
    /// Where its source and artefacts are.
    pub(crate) fn tree(&self) -> Tree<'_> {
        Tree {
            checkout: &self.checkout.root,
            workspace: &self.workspace_root,
            target_dir: &self.target_dir,
        }
    }
}

/// A benchmark executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// The file.
    pub path: PathBuf,
    /// The target's source, from the top of the repository.
    pub source: PathBuf,
    /// The names of its benchmarks in the report, by its own ids, where the head side uses other ids.
    pub names: BTreeMap<String, String>,
    /// Where cargo would run it: the package's folder.
    pub working_dir: PathBuf,
    /// What cargo would add to its environment (`CARGO_MANIFEST_DIR`, `LD_LIBRARY_PATH`, …).
    pub env: Vec<(String, OsString)>,
    /// The Criterion that the package depends on, if it does.
    pub criterion: Option<CriterionPackage>,
    /// How its command line is understood.
    pub command_line: CommandLine,
    /// The runner that starts it, if there is one.
    pub runner: Option<Runner>,
    /// What it was linked from, where that was kept.
    pub link: Option<KeptLink>,
}

/// How the command line of a benchmark executable is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommandLine {
    /// As Criterion does: a regular expression selects benchmarks.
    #[default]
    Criterion,
    /// As criterion2 does: its whole id selects one benchmark.
    Criterion2,
    /// As Rust's built-in harness does: its whole name selects one benchmark.
    Libtest,
    /// In its own way, or not at all: perfcheck starts it as cargo does, and it runs all of its benchmarks.
    Own,
}

impl CommandLine {
    /// How many benchmarks a process can be asked for by name.
    #[must_use]
    pub fn choice(self) -> Choice {
        match self {
            CommandLine::Criterion => Choice::Any,
            CommandLine::Criterion2 | CommandLine::Libtest => Choice::One,
            CommandLine::Own => Choice::All,
        }
    }
}

/// Which benchmarks a process can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// As many as wanted.
    Any,
    /// One at a time.
    One,
    /// It runs all, whatever is wanted.
    All,
}

/// A bench target that was not built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnbuiltTarget {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// Why, as a lower-case fragment.
    pub reason: String,
}

/// The compiler and cargo of a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// First line of `rustc --version --verbose`.
    pub rustc: String,
    /// The host triple.
    pub host: String,
    /// `cargo --version`.
    pub cargo: String,
    /// The full version output of both, and the standard library's files.
    pub verbose: String,
    /// The toolchain that was chosen outside of the revision, if any.
    pub choice: Option<ChosenToolchain>,
}

/// Where the lock file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockFile {
    /// Tracked in the revision.
    Tracked,
    /// Not tracked: one and the same was used for both sides.
    Shared,
}

/// Builds the selected benchmarks of both sides, the base side first.
///
/// # Errors
/// A side lacks what is selected, depends on something outside the repository, or does not compile;
/// neither side has a benchmark; the disk is full, a file cannot be used, or the run is
/// interrupted.
pub fn build(
    checkouts: Paired<Checkout>,
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Paired<Build>, BuildError> {
    let (checkouts, note) = elsewhere::settle(checkouts, plan, scratch, events)?;
    let mut builds = build_settled(checkouts, plan, scratch, events)?;
    for build in [&mut builds.base, &mut builds.head] {
        build.notes.extend(note.clone());
    }
    Ok(builds)
}

fn build_settled(
    checkouts: Paired<Checkout>,
    plan: &Plan,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Paired<Build>, BuildError> {
    let original = checkouts.head.original_root.clone();
    let places = Places {
        run: scratch.path(),
        store: scratch.store(),
    };
    let kept = match Kept::open(plan.cache, places, &checkouts, events) {
        Ok(kept) => kept.map(Arc::new),
        Err(error) => {
            let message = format!("earlier builds cannot be used: {error}");
            events(Event::Warning { message });
            None
        }
    };
    let Some(kept) = kept else {
        let builds = build_selected(&checkouts, &plan.selection, None, scratch, events)?;
        return undisturbed(builds, &original, scratch);
    };
    let at = Where::new(Side::Head, &checkouts.head.revision);
    let io = |doing| {
        let at = at.clone();
        move |source| BuildError::Io { at, doing, source }
    };
    let checkouts = kept
        .take_in(checkouts)
        .map_err(io("bring the checkouts to where builds are kept"))?;
    let builds = build_selected(&checkouts, &plan.selection, Some(&kept), scratch, events)?;
    let builds = undisturbed(builds, &original, scratch)?;
    kept.store(events);
    kept.trim()
        .map_err(io("remove builds that were not used for long"))?;
    Ok(builds.map(|build| Build {
        kept: Some(Arc::clone(&kept)),
        ..build
    }))
}

fn build_selected(
    checkouts: &Paired<Checkout>,
    selection: &Selection,
    kept: Option<&Kept>,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Paired<Build>, BuildError> {
    let users = checkouts.head.original_root.as_path();
    let folder = checkouts.head.folder();
    let rustup = Rustup::ask(users, folder, scratch);
    // Each side waits for several answers of its tools, so both ask at the same time.
    let sites =
        Paired::at_once(|side| BuildSite::open(scratch, side, checkouts.get(side), &rustup));
    let sites = Paired::new(sites.base?, sites.head?);
    Side::BOTH
        .into_iter()
        .try_for_each(|side| links::refuse(sites.get(side)))?;
    check_packages(&sites, selection)?;
    check_benches(&sites, selection)?;
    check_programs(&sites, selection)?;
    let mut notes = carry_configuration_over(&sites)?;
    let runners = Paired::try_from_fn(|side| sites.get(side).runner(selection))?;
    let lock_sites = sites.as_ref().map(|site| LockSite {
        tools: &site.tools,
        root: site.members.root(),
    });
    let workspace_in_repository = sites.head.workspace_in_repository();
    let lock_files = lock::settle(&lock_sites, &users.join(workspace_in_repository), selection)?;

    let graphs = Paired::at_once(|side| sites.get(side).resolve(selection));
    crate::process::check()?;
    let names = names_of_crates(&sites, &graphs);
    let wish = |side, start| Wish {
        lock_file: *lock_files.get(side),
        resolved: graphs.get(side).as_ref(),
        names,
        start,
        selection,
        kept,
    };
    let base = sites.base.build(&wish(Side::Base, None), events)?;
    let reusable = reusable(&sites, graphs.base.as_ref());
    let start = reusable
        .as_ref()
        .map(|reusable| (base.target_dir.as_path(), reusable));
    let head = sites.head.build(&wish(Side::Head, start), events)?;
    let line_tables = Paired::from_fn(|side| sites.get(side).line_tables(&wish(side, None)));
    notes.extend(line_tables::note(&line_tables));
    let mut builds = Paired::new(base, head).map(|build| Build {
        notes: notes.clone(),
        ..build
    });
    runner::attach(&mut builds, &runners);
    Ok(builds)
}

/// What of the base side's build the head side may use: nothing where compilers or configurations differ.
fn reusable(sites: &Paired<BuildSite<'_>>, base: Option<&Workspace>) -> Option<Reusable> {
    let configuration = |side| tracked(&sites.get(side).checkout.root).ok();
    let is_same = sites.base.toolchain.rustc == sites.head.toolchain.rustc
        && configuration(Side::Base)? == configuration(Side::Head)?;
    let base = base.filter(|_| is_same)?;
    Some(Reusable::outside(base, &sites.base.checkout.root))
}

/// Gives both sides the user's own configuration of cargo, and returns notes for the report.
fn carry_configuration_over(sites: &Paired<BuildSite<'_>>) -> Result<Vec<String>, BuildError> {
    let head = &sites.head;
    let includes = sites
        .as_ref()
        .map(|site| Includes::of(&site.toolchain.cargo));
    let surroundings = Surroundings::of(&head.checkout.original_root, head.checkout.folder());
    // Both sides use one file, which may contain only what both versions of cargo understand.
    let known = if includes.base == includes.head {
        includes.head
    } else {
        Includes::Unknown
    };
    let carried = surroundings.carry_over(head.tools.place(), known);
    let carried =
        carried.map_err(|source| head.tools.io("carry cargo's configuration over", source))?;
    let mut notes = carried.notes;
    if includes.base != includes.head && !carried.files.is_empty() {
        notes.push(
            "`include` in cargo's configuration outside of the revisions does not count: only one side's cargo knows it"
                .to_owned(),
        );
    }
    Ok(notes)
}

#[cfg(test)]
mod tests;
