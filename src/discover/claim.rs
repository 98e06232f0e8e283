//! Whether a target may be called identical, from what is known before its benchmarks run.

use std::io;

use crate::binary::code_difference;
use crate::build::{Build, Executable};
use crate::file_access::{Access, Recorder};
use crate::units::{Paired, Side};

use super::surroundings::{self, InputChanges, InputStatus};
use super::{DifferenceOrigin, Identity, OutsideDifference};

/// Whether both executables are the same code in the same surroundings.
pub(super) fn identity(
    builds: &Paired<Build>,
    executables: &Paired<Option<&Executable>>,
    surroundings: &io::Result<InputChanges<'_>>,
) -> Identity {
    let (Some(base), Some(head)) = (executables.base, executables.head) else {
        return Identity::OneSided;
    };
    let trees = builds.as_ref().map(Build::tree);
    let paths = Paired::new(base.path.as_path(), head.path.as_path());
    // If a file cannot be compared, count it as different: measuring will show what is wrong.
    let difference = code_difference(paths, trees).unwrap_or_else(|error| {
        let reason = format!("cannot compare the executables of both sides: {error}");
        Some(reason)
    });
    if let Some(difference) = difference {
        return Identity::Different(difference);
    }
    let beside = surroundings
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|all| {
            let beside = beside(all, Paired::new(base, head));
            beside.map_err(|error| error.to_string())
        });
    match beside {
        Ok(None) => Identity::Identical,
        Ok(Some(outside)) => Identity::SameCode(outside),
        Err(reason) => Identity::SameCode(unknown(reason)),
    }
}

/// Whether each pair of programs is the same code in the same surroundings. Nobody watches what whole programs open, and they
/// walk folders and read names from other files: whatever differs may reach them.
#[must_use]
pub fn identities(builds: &Paired<Build>, pairs: &[Paired<Option<&Executable>>]) -> Vec<Identity> {
    let surroundings = InputChanges::between(builds);
    let pairs = pairs.iter();
    pairs
        .map(|pair| {
            let anything = surroundings.as_ref().ok().and_then(InputChanges::anything);
            match (identity(builds, pair, &surroundings), anything) {
                (Identity::Identical, Some(differing)) => Identity::SameCode(differing),
                (identity, _) => identity,
            }
        })
        .collect()
}

fn beside(
    all: &InputChanges<'_>,
    executables: Paired<&Executable>,
) -> io::Result<Option<OutsideDifference>> {
    let reason = match all.of(executables)? {
        InputStatus::Same => return Ok(None),
        InputStatus::Watch(reason) | InputStatus::Differs(reason) => reason,
    };
    let origin = all.origin(executables)?;
    Ok(Some(OutsideDifference { reason, origin }))
}

fn unknown(reason: String) -> OutsideDifference {
    OutsideDifference {
        reason,
        origin: DifferenceOrigin::Checkouts,
    }
}

impl Identity {
    /// Takes into account what processes touched while they listed their benchmarks.
    pub(super) fn touching(self, touched: Option<OutsideDifference>) -> Identity {
        match (self, touched) {
            (Identity::Identical, Some(touched)) => Identity::SameCode(touched),
            (Identity::SameCode(own), Some(touched))
                if touched.origin == DifferenceOrigin::Checkouts =>
            {
                Identity::SameCode(OutsideDifference {
                    origin: touched.origin,
                    ..own
                })
            }
            (identity, _) => identity,
        }
    }
}

/// Which differing files the processes of one target open while they list their benchmarks.
pub(super) struct ListingRecord(Paired<Result<Option<Recorder>, String>>);

impl ListingRecord {
    /// Before they are started.
    pub(super) fn begin(
        surroundings: &io::Result<InputChanges<'_>>,
        executables: &Paired<Option<(Side, &Executable)>>,
    ) -> ListingRecord {
        ListingRecord(Paired::from_fn(|side| {
            match (surroundings, executables.get(side)) {
                (Ok(surroundings), Some((_, executable))) => {
                    surroundings.record(side, &executable.path)
                }
                _ => Ok(None),
            }
        }))
    }

    /// The first file that was touched, or why that is unknown, and where all touched files come from.
    pub(super) fn finish(mut self, builds: &Paired<Build>) -> Option<OutsideDifference> {
        let found = Side::BOTH.into_iter().filter_map(|side| {
            let touched = match self.0.get_mut(side) {
                Ok(None) => return None,
                Ok(Some(recorder)) => recorder.take().map_err(|error| error.to_string()),
                Err(reason) => Err(reason.clone()),
            };
            let touched = match touched {
                Ok(touched) => touched,
                Err(reason) => return Some(unknown(reason)),
            };
            let path = surroundings::touched(builds.get(side), touched.first()?.path());
            Some(OutsideDifference {
                reason: format!("it opens {path}, which differs"),
                origin: surroundings::origin(builds, touched.iter().map(Access::path)),
            })
        });
        // Both sides count: one may read what the other does not.
        let found: Vec<OutsideDifference> = found.collect();
        let of_checkouts = |one: &&OutsideDifference| one.origin == DifferenceOrigin::Checkouts;
        let first = found.iter().find(of_checkouts).or(found.first());
        first.cloned()
    }
}
