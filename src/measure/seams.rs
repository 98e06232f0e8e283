//! The clock seams of a run: one per pair of executables, made on first use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::build::Executable;
use crate::plan::Sampling;
use crate::scratch::Scratch;
use crate::seam::{Seam, SeamError, Settings};
use crate::units::Paired;

/// Every seam that was made, and why some could not be.
#[derive(Debug)]
pub(super) struct Seams {
    settings: Settings,
    made: BTreeMap<(PathBuf, PathBuf), Result<Seam, String>>,
}

impl Seams {
    pub(super) fn new(sampling: &Sampling) -> Seams {
        let share = sampling.inject.map_or(0.0, |ratio| ratio.as_change());
        Seams {
            settings: Settings {
                inject: Paired::new(0.0, share),
                ..Settings::default()
            },
            made: BTreeMap::new(),
        }
    }

    /// Removes the seam between these executables.
    pub(super) fn forget(&mut self, executables: Paired<&Executable>) {
        let paths = executables.map(|executable| executable.path.clone());
        self.made.remove(&(paths.base, paths.head));
    }

    /// The seam between these executables, or why there is none.
    pub(super) fn of(
        &mut self,
        scratch: &Scratch,
        executables: Paired<&Executable>,
    ) -> Result<&mut Seam, &str> {
        let paths = executables.map(|executable| executable.path.as_path());
        let key = (paths.base.to_owned(), paths.head.to_owned());
        let settings = &self.settings;
        let made = self.made.entry(key).or_insert_with(|| {
            Seam::prepare(scratch.path(), paths, settings).map_err(|error| explain(&error))
        });
        match made {
            Ok(seam) => Ok(seam),
            Err(reason) => Err(reason),
        }
    }
}

/// The error and what caused it, in one line.
pub(super) fn explain(error: &SeamError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
