//! Settings from files and the environment, for options that are not on the command line.
//!
//! The keys are the command line's own long options, taken from clap. So there is no second list
//! that could fall behind, and every setting is possible in every place.

mod budgets;
mod entry;
mod files;
mod key;
mod limit;
mod merge;
mod parameters;
mod pattern;
mod rules;
mod schema;
mod service_amounts;
mod service_limits;
mod service_requests;
mod service_tests;
mod services;
mod show;
mod text;
mod workload_metrics;
mod workloads;

use std::fmt;
use std::path::{Path, PathBuf};

use super::{CompareOptions, Environment, PlanError, Service, Workload};

pub use budgets::{Budget, Budgets};
pub use limit::Limit;
pub use rules::{BenchmarkRules, Obligation, Rule, Rules};
pub use schema::json_schema;
pub use show::{ShownSetting, show};

/// The name of the configuration file, beside the workspace's manifest.
pub const FILE_NAME: &str = "perfcheck.toml";

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// On the command line.
    Flag,
    /// In this environment variable.
    Variable(String),
    /// In this file, for the table of a manifest with its name.
    File {
        /// The file.
        path: PathBuf,
        /// The table, where the file is a manifest.
        table: Option<&'static str>,
    },
    /// Nowhere.
    Default,
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueOrigin::Flag => f.write_str("command line"),
            ValueOrigin::Variable(name) => write!(f, "${name}"),
            ValueOrigin::File { path, table: None } => write!(f, "{}", path.display()),
            ValueOrigin::File {
                path,
                table: Some(table),
            } => write!(f, "{} [{table}]", path.display()),
            ValueOrigin::Default => f.write_str("default"),
        }
    }
}

/// One setting of a layer, as the text that a user would type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ConfiguredValue {
    key: String,
    value: text::LayerValue,
    origin: ValueOrigin,
}

/// Everything that files and the environment say.
#[derive(Debug, Clone, Default)]
pub(super) struct Configuration {
    /// Strongest first; a key may come several times.
    settings: Vec<ConfiguredValue>,
    /// The rules for single benchmarks, weakest first.
    pub(super) rules: Rules,
    /// What benchmarks and programs may use, weakest first.
    pub(super) budgets: Budgets,
    /// Whole programs that are benchmarks.
    pub(super) workloads: Vec<(Workload, ValueOrigin)>,
    /// Services that are compared under load.
    pub(super) services: Vec<(Service, ValueOrigin)>,
    /// What was not understood but does no harm: unknown keys.
    pub(super) warnings: Vec<String>,
}

impl Configuration {
    /// Reads the environment's variables and the files that belong to a manifest.
    ///
    /// # Errors
    /// A file is unreadable or not TOML, or a known key has a value of the wrong type.
    pub(super) fn read(
        manifest_path: &Path,
        environment: &Environment,
    ) -> Result<Configuration, PlanError> {
        let mut configuration = Configuration::default();
        configuration.read_variables(environment)?;
        configuration.read_files(manifest_path)?;
        Ok(configuration)
    }

    /// The settings, strongest value of each key only.
    fn effective(&self) -> impl Iterator<Item = &ConfiguredValue> {
        self.settings
            .iter()
            .enumerate()
            .filter_map(|(at, setting)| {
                let stronger = &self.settings[..at];
                let is_first = stronger.iter().all(|other| other.key != setting.key);
                is_first.then_some(setting)
            })
    }

    /// The typed options, completed by the configured ones.
    ///
    /// # Errors
    /// A configured value cannot be understood, or configured values contradict one another.
    pub(super) fn beneath(&self, typed: &CompareOptions) -> Result<CompareOptions, PlanError> {
        let stands = |setting: &&ConfiguredValue| !typed.undone.contains(&setting.key);
        let configured = merge::parse(self.effective().filter(stands))?;
        Ok(merge::or(typed.clone(), configured))
    }
}

#[cfg(test)]
mod tests;
