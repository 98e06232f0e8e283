//! Which history a command is about, from what was typed and configured.

use std::path::PathBuf;

use super::config::Configuration;
use super::history_args::HistoryOf;
use super::options::CompareOptions;
use super::record_args::{HistoryPlace, RecordArgs};
use super::{Environment, PlanError, Renaming, SidesArgs, manifest};

impl HistoryOf {
    /// The folder whose repository is meant, and where its history is kept: as typed, else as configured.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn resolve(&self, environment: &Environment) -> Result<LocatedHistory, PlanError> {
        self.resolve_with(&[], environment)
    }

    /// The same, with names that benchmarks had before.
    ///
    /// # Errors
    /// As [`HistoryOf::resolve`].
    pub fn resolve_with(
        &self,
        renames: &[Renaming],
        environment: &Environment,
    ) -> Result<LocatedHistory, PlanError> {
        let typed = CompareOptions {
            sides: SidesArgs {
                rename: renames.to_vec(),
                ..SidesArgs::default()
            },
            recording: RecordArgs {
                record: false,
                history: self.history.clone(),
            },
            ..CompareOptions::default()
        };
        let cwd = &environment.cwd;
        let (folder, options) = match manifest::find(self.manifest_path.as_deref(), cwd) {
            Ok(path) => {
                let configuration = Configuration::read(&path, environment)?;
                let folder = path.parent().unwrap_or(cwd).to_owned();
                (folder, configuration.beneath(&typed)?)
            }
            // A repository has a history wherever its workspace is.
            Err(PlanError::NoManifest { .. }) => (cwd.clone(), typed),
            Err(error) => return Err(error),
        };
        Ok(LocatedHistory {
            place: options.recording.place(cwd),
            renames: options.sides.rename,
            folder,
        })
    }
}

/// A history, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedHistory {
    /// Where it is kept.
    pub place: HistoryPlace,
    /// A folder of the repository.
    pub folder: PathBuf,
    /// What benchmarks were called before.
    pub renames: Vec<Renaming>,
}
