//! What differs between the sides besides the code of the benchmark executables, and which of it a benchmark may
//! depend on: files of the repository, what build scripts have made, shared libraries and programs of the build,
//! variables that the project itself sets.
//!
//! A name that is not in an executable proves nothing: programs assemble paths, read them from other files, find
//! them in folders. So where something differs that an executable could find, a recorder ([`crate::file_access`]) watches
//! what its processes open, and perfcheck claims nothing before that. Four things need no recorder:
//!
//! - *Text for people and tools* (documentation, manifests, settings of linters, Rust files that were not
//!   compiled) counts if an executable contains a part of its name; otherwise a change of documentation would cause
//!   every benchmark to run. It also counts if a process opens it while it lists its benchmarks, set-up included.
//! - *Sources that were compiled* are named in every executable, by its panics. They count if a recorder that
//!   runs anyway sees that they are opened.
//! - *A runner*, the program that starts a benchmark, counts with its files.
//! - *Variables* are read by name, without the kernel: one counts if its name is in an executable, or in a
//!   library or program of the build.
//!
//! Not seen: an executable that only asks whether a file exists, or how large it is, and does not contain its name;
//! one that goes through all variables; and a program from outside the build that reads a variable.

mod files;
mod made;
mod named;
mod variables;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::binary::needed_libraries;
use crate::build::{Build, Executable};
use crate::file_access::{Recorder, Watched};
use crate::units::{Paired, Side, normal};

use super::{DifferenceOrigin, OutsideDifference};
use named::Contents;

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thing {
    /// Its name for the user: its path from the repository's root, or its file name.
    name: String,
    /// Where it is, on the sides that have it.
    paths: Paired<Option<PathBuf>>,
    role: Role,
}

/// Who can come upon it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    /// Anybody.
    Data,
    /// Executables that contain one of these parts of its name.
    Text(Vec<String>),
    /// None, as far as perfcheck can tell without watching.
    Source,
    /// Anybody.
    Library,
    /// The benchmarks of its package, and executables that contain its name.
    Program { package: String },
}

/// What the benchmarks of one target may depend on besides their executable's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InputStatus {
    /// Nothing that differs.
    Same,
    /// Perhaps on something that differs: a recorder can tell. A lower-case fragment.
    Watch(String),
    /// On something that differs and cannot be watched. A lower-case fragment.
    Differs(String),
}

/// Whether the code of a target's executables differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeChange {
    Same,
    Differs,
}

/// All inputs that differ between one pair of builds.
#[derive(Debug)]
pub(super) struct InputChanges<'a> {
    builds: &'a Paired<Build>,
    things: Vec<Thing>,
    /// Folders whose entries differ between the sides.
    listed: Vec<Paired<PathBuf>>,
}

impl<'a> InputChanges<'a> {
    /// Reads both checkouts, and what both builds have made.
    ///
    /// # Errors
    /// Where a file or folder cannot be read.
    pub(super) fn between(builds: &'a Paired<Build>) -> io::Result<InputChanges<'a>> {
        let mut found = files::differing(builds)?;
        let made = made::differing(builds)?;
        found.things.extend(made.things);
        found.folders.extend(made.folders);
        Ok(InputChanges {
            builds,
            things: found.things,
            listed: found.folders,
        })
    }

    /// What the benchmarks of these executables may depend on.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn of(&self, executables: Paired<&Executable>) -> io::Result<InputStatus> {
        if let Some(reason) = self.runner(executables) {
            return Ok(InputStatus::Differs(reason));
        }
        if let Some(name) = variables::may_ask(self.builds, executables)? {
            let reason = format!("it may ask for the variable {name}, which differs");
            return Ok(InputStatus::Differs(reason));
        }
        if self.things.is_empty() {
            return Ok(InputStatus::Same);
        }
        let contents = contents(executables)?;
        if let Some(library) = self.needed(executables)? {
            let reason = format!("it loads {library}, which differs");
            return Ok(InputStatus::Differs(reason));
        }
        let names = |texts: &[String]| hold_any(&contents, texts);
        let may_miss = |thing: &&Thing| thing.may_be_missed(names);
        if let Some(thing) = self.things.iter().find(may_miss) {
            let name = &thing.name;
            let reason = format!("it may look for {name}, which only one side has");
            return Ok(InputStatus::Differs(reason));
        }
        let packages = executables.map(|executable| executable.package.as_str());
        let may_touch = |thing: &&Thing| thing.may_be_touched(packages, names);
        Ok(match self.things.iter().find(may_touch) {
            Some(thing) => InputStatus::Watch(format!("it may open {}, which differs", thing.name)),
            None => InputStatus::Same,
        })
    }

    /// The first thing that differs, whether or not a benchmark can reach it.
    pub(super) fn anything(&self) -> Option<OutsideDifference> {
        let name = &self.things.first()?.name;
        let things = self.things.iter();
        let paths = things.flat_map(|thing| [&thing.paths.base, &thing.paths.head]);
        Some(OutsideDifference {
            reason: format!("it may open {name}, which differs"),
            origin: origin(self.builds, paths.flatten().map(PathBuf::as_path)),
        })
    }

    /// Where everything comes from that the benchmarks of these executables may depend on.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn origin(&self, executables: Paired<&Executable>) -> io::Result<DifferenceOrigin> {
        if self.runner(executables).is_some() {
            return Ok(DifferenceOrigin::Checkouts);
        }
        let contents = contents(executables)?;
        let names = |texts: &[String]| hold_any(&contents, texts);
        let packages = executables.map(|executable| executable.package.as_str());
        let counts =
            |thing: &&Thing| thing.may_be_missed(names) || thing.may_be_touched(packages, names);
        let things = self.things.iter().filter(counts);
        let paths = things.flat_map(|thing| [&thing.paths.base, &thing.paths.head]);
        Ok(origin(self.builds, paths.flatten().map(PathBuf::as_path)))
    }

    /// What differs about the program that starts a benchmark.
    fn runner(&self, executables: Paired<&Executable>) -> Option<String> {
        let started = executables.map(Executable::starter);
        if started.base != started.head {
            let Paired { base, head } = executables.map(|executable| match &executable.runner {
                Some(runner) => format!("through `{}`", runner.typed),
                None => "directly".to_owned(),
            });
            return Some(format!("base starts it {base}, head {head}"));
        }
        let files = Side::BOTH.into_iter().flat_map(|side| {
            let executable = *executables.get(side);
            let runner = executable.runner.iter();
            runner.flat_map(|runner| runner.files(&executable.working_dir))
        });
        let files: BTreeSet<PathBuf> = files.map(|file| normal(&file)).collect();
        let is_of_it = |thing: &&Thing| {
            let paths = [&thing.paths.base, &thing.paths.head].into_iter();
            paths.flatten().any(|path| files.contains(path))
        };
        let thing = self.things.iter().find(is_of_it)?;
        Some(format!("{} starts it, which differs", thing.name))
    }

    /// The first library that differs and that the loader loads before `main`.
    fn needed(&self, executables: Paired<&Executable>) -> io::Result<Option<String>> {
        let libraries = || {
            let things = self.things.iter();
            things.filter(|thing| thing.role == Role::Library)
        };
        if libraries().next().is_none() {
            return Ok(None);
        }
        for side in Side::BOTH {
            let own = &self.builds.get(side).by_products.libraries;
            let mut open = vec![executables.get(side).path.clone()];
            let mut seen = BTreeSet::new();
            while let Some(file) = open.pop() {
                let needed = needed_libraries(&file)?;
                for name in needed.into_iter().filter(|name| seen.insert(name.clone())) {
                    if libraries().any(|thing| thing.file_name().as_ref() == Some(&name)) {
                        return Ok(Some(name));
                    }
                    let is_it = |path: &&PathBuf| path.ends_with(&name);
                    open.extend(own.iter().find(is_it).cloned());
                }
            }
        }
        Ok(None)
    }

    /// What a recorder has to watch while processes of `executable`, of one side, run.
    pub(super) fn watched(&self, side: Side, executable: &Path, code: CodeChange) -> Watched {
        let things = self.things.iter();
        let there = things.filter_map(|thing| thing.paths.get(side).clone());
        // Whether the code of another target's executable differs is unknown here.
        let others = self.builds.get(side).executables.iter();
        let others = others
            .map(|other| other.path.clone())
            .filter(|path| path != executable);
        let folders = self.listed.iter();
        Watched {
            opened: there.chain(others).collect(),
            listed: folders.map(|folder| folder.get(side).clone()).collect(),
            // If its code is the same, starting it again does the same.
            program: (code == CodeChange::Differs).then(|| executable.to_owned()),
        }
    }

    /// A recorder for processes of `executable`, whose own code is the same on both sides; `None` where nothing
    /// else differs.
    ///
    /// # Errors
    /// Why there can be none, as a lower-case fragment.
    pub(super) fn record(&self, side: Side, executable: &Path) -> Result<Option<Recorder>, String> {
        if self.things.is_empty() {
            return Ok(None);
        }
        let recorder = Recorder::start(&self.watched(side, executable, CodeChange::Same));
        recorder.map(Some).map_err(|error| error.to_string())
    }

    /// Whether something exists on the base side only.
    pub(super) fn base_has_more(&self) -> bool {
        self.things.iter().any(|thing| thing.paths.head.is_none())
    }

    /// Whether the file at this path is a program or library.
    pub(super) fn is_code(&self, path: &Path) -> bool {
        let is_it = |thing: &&Thing| {
            let paths = [&thing.paths.base, &thing.paths.head];
            paths.into_iter().flatten().any(|own| own == path)
        };
        let executables = [&self.builds.base, &self.builds.head]
            .into_iter()
            .flat_map(|build| &build.executables);
        let thing = self.things.iter().find(is_it);
        matches!(thing, Some(thing) if matches!(thing.role, Role::Library | Role::Program { .. }))
            || executables
                .into_iter()
                .any(|executable| executable.path == path)
    }
}

impl Thing {
    fn is_one_sided(&self) -> bool {
        self.paths.base.is_none() || self.paths.head.is_none()
    }

    /// Whether a benchmark may look for it by name and find it on one side only.
    fn may_be_missed(&self, names: impl Fn(&[String]) -> bool) -> bool {
        self.is_one_sided() && names(&self.exact_names())
    }

    /// Whether a benchmark of a package (by its name on either side) may access it, as far as can be seen without
    /// running it; `names` says which texts its executables contain.
    fn may_be_touched(&self, packages: Paired<&str>, names: impl Fn(&[String]) -> bool) -> bool {
        match &self.role {
            Role::Data | Role::Library => true,
            Role::Text(parts) => names(parts),
            Role::Source => false,
            Role::Program { package: own } => {
                own == packages.base
                    || own == packages.head
                    || self.file_name().is_some_and(|name| names(&[name]))
            }
        }
    }

    /// Names with which a program may check that it exists, without opening it. A single word is in too many
    /// executables.
    fn exact_names(&self) -> Vec<String> {
        let name = self.file_name().filter(|name| name.contains('.'));
        match &self.role {
            Role::Data | Role::Library => name.into_iter().collect(),
            Role::Text(parts) => parts.last().cloned().into_iter().collect(),
            Role::Source | Role::Program { .. } => Vec::new(),
        }
    }

    fn file_name(&self) -> Option<String> {
        let path = self.paths.head.as_ref().or(self.paths.base.as_ref())?;
        Some(path.file_name()?.to_string_lossy().into_owned())
    }
}

fn contents(executables: Paired<&Executable>) -> io::Result<Paired<Contents>> {
    executables.try_map(|executable| Contents::of_file(&executable.path))
}

/// Whether either side holds one of these texts.
fn hold_any(contents: &Paired<Contents>, texts: &[String]) -> bool {
    let texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    contents.base.hold_any(&texts) || contents.head.hold_any(&texts)
}

/// Where the files at these paths come from.
pub(super) fn origin<'a>(
    builds: &Paired<Build>,
    paths: impl Iterator<Item = &'a Path>,
) -> DifferenceOrigin {
    let folders = builds.as_ref().map(|build| build.target_dir.as_path());
    DifferenceOrigin::of(folders, paths)
}

/// The message about a file that was touched, whose path is `path`.
pub(super) fn touched(builds: &Build, path: &Path) -> String {
    let roots = [&builds.checkout.root, &builds.target_dir];
    let inside = roots
        .into_iter()
        .find_map(|root| path.strip_prefix(root).ok());
    inside.unwrap_or(path).display().to_string()
}
