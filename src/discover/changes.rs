//! What differs between the executables of a target, including what they depend on besides their code.

use std::cell::OnceCell;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use crate::binary::{ChangedFunction, Unclear, changed_functions};
use crate::build::{Build, Executable};
use crate::file_access::Watched;
use crate::units::Paired;

use super::surroundings::{self, CodeChange, InputChanges, InputStatus};
use super::{DifferenceOrigin, Identity, Target};

/// The functions that differ between the executables of a target: computed on first use, then kept.
#[derive(Debug, Clone, Default)]
pub struct FunctionDiff(OnceLock<Result<Vec<ChangedFunction>, Unclear>>);

impl Target {
    /// The functions that differ between both executables, whatever else its benchmarks may read or load.
    ///
    /// # Errors
    /// [`changed_functions`] cannot decide, or one side has no such executable.
    pub fn changed_functions(&self, builds: &Paired<Build>) -> Result<&[ChangedFunction], Unclear> {
        let compare = || {
            let paths = self.both_executables()?.map(|executable| &*executable.path);
            changed_functions(paths, builds.as_ref().map(Build::tree))
        };
        let functions = self.function_diff.0.get_or_init(compare);
        functions.as_deref().map_err(Clone::clone)
    }

    fn both_executables(&self) -> Result<Paired<&Executable>, Unclear> {
        match (&self.executables.base, &self.executables.head) {
            (Some(base), Some(head)) => Ok(Paired::new(base, head)),
            _ => Err(Unclear::because("one side has no such executable")),
        }
    }
}

/// What differs about one target.
#[derive(Debug, Clone)]
pub struct TargetChanges {
    /// The functions whose code differs.
    pub functions: Vec<ChangedFunction>,
    /// What else differs, to be watched while processes of either side run.
    pub watched: Paired<Watched>,
    /// Whether the base side has a file that the head side lacks: a benchmark may have tried to open it on the head
    /// side.
    pub base_has_more: bool,
}

/// Compares the executables of one target after the other.
#[derive(Debug)]
pub struct Changes<'a> {
    builds: &'a Paired<Build>,
    /// Read on first use: never, if everything is identical.
    surroundings: OnceCell<io::Result<InputChanges<'a>>>,
}

impl<'a> Changes<'a> {
    /// Of these builds.
    #[must_use]
    pub fn between(builds: &'a Paired<Build>) -> Changes<'a> {
        Changes {
            builds,
            surroundings: OnceCell::new(),
        }
    }

    /// What differs between the executables of `target` and around them.
    ///
    /// # Errors
    /// Something differs that can be neither watched nor compared by function: a library that it is linked with, a
    /// variable that it may read, or a case that [`changed_functions`] cannot decide.
    pub fn of(&self, target: &Target) -> Result<TargetChanges, Unclear> {
        let executables = target.both_executables()?;
        let surroundings = self.surroundings()?;
        let unreadable = |error: io::Error| Unclear::because(error.to_string());
        if let InputStatus::Differs(reason) = surroundings.of(executables).map_err(unreadable)? {
            return Err(Unclear::because(reason));
        }
        let functions = match target.identity {
            Identity::SameCode(_) => Vec::new(),
            _ => target.changed_functions(self.builds)?.to_vec(),
        };
        let code = match functions.is_empty() {
            true => CodeChange::Same,
            false => CodeChange::Differs,
        };
        let watched =
            Paired::from_fn(|side| surroundings.watched(side, &executables.get(side).path, code));
        Ok(TargetChanges {
            functions,
            watched,
            base_has_more: surroundings.base_has_more(),
        })
    }

    /// Whether `path` is a program or a library of either build.
    #[must_use]
    pub fn is_code(&self, path: &Path) -> bool {
        let surroundings = self.surroundings();
        surroundings.is_ok_and(|surroundings| surroundings.is_code(path))
    }

    /// Where the files at these paths come from.
    pub(crate) fn origin<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> DifferenceOrigin {
        surroundings::origin(self.builds, paths)
    }

    fn surroundings(&self) -> Result<&InputChanges<'a>, Unclear> {
        let read = || InputChanges::between(self.builds);
        let surroundings = self.surroundings.get_or_init(read).as_ref();
        surroundings.map_err(|error| Unclear::because(error.to_string()))
    }
}
