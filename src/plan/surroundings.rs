//! The environment of the program as values, so that tests of planning need not change it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;

use super::PlanError;

/// What surrounds the program.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The current folder.
    pub cwd: PathBuf,
    /// The environment variables that are Unicode.
    pub variables: BTreeMap<String, String>,
    /// The arguments of the program, its own name first.
    pub words: Vec<OsString>,
    /// The seed to use if none is given.
    pub drawn_seed: u64,
}

impl Environment {
    /// The environment of this process.
    ///
    /// # Errors
    /// The current folder is gone.
    pub fn of_process(words: Vec<OsString>) -> Result<Environment, PlanError> {
        let cwd =
            std::env::current_dir().map_err(|source| PlanError::NoCurrentFolder { source })?;
        let unicode = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(Environment {
            cwd,
            variables: std::env::vars_os().filter_map(unicode).collect(),
            words,
            drawn_seed: draw_seed(),
        })
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// A seed nobody chose. 32 bits: short enough to retype, and exact in every JSON reader.
fn draw_seed() -> u64 {
    // The standard library keys its hashers from the system's randomness; an empty hash shows it.
    let random = std::collections::hash_map::RandomState::new();
    random.build_hasher().finish() & u64::from(u32::MAX)
}
