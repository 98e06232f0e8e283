//! Whether a target may be called identical, by what is known before its benchmarks are run.

use std::io;

use crate::binary::code_difference;
use crate::build::{Build, Executable};
use crate::file_access::Recorder;
use crate::units::{Paired, Side};

use super::Identity;
use super::surroundings::{self, InputChanges, InputStatus};

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
    // Whatever is wrong with a file, measuring is what finds out.
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
            let beside = all.of(Paired::new(base, head));
            beside.map_err(|error| error.to_string())
        });
    match beside {
        Ok(InputStatus::Same) => Identity::Identical,
        Ok(InputStatus::Watch(reason) | InputStatus::Differs(reason)) | Err(reason) => {
            Identity::SameCode(reason)
        }
    }
}

/// What the processes of one target open of all that differs while they are asked for their benchmarks.
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

    /// The first thing that was touched, or why that is not known; a lower-case fragment.
    pub(super) fn finish(mut self, builds: &Paired<Build>) -> Option<String> {
        Side::BOTH.into_iter().find_map(|side| {
            let touched = match self.0.get_mut(side) {
                Ok(None) => return None,
                Ok(Some(recorder)) => recorder.take().map_err(|error| error.to_string()),
                Err(reason) => Err(reason.clone()),
            };
            match touched {
                Ok(touched) => touched.first().map(|first| {
                    let path = surroundings::touched(builds.get(side), first.path());
                    format!("it opens {path}, which differs")
                }),
                Err(reason) => Some(reason),
            }
        })
    }
}
