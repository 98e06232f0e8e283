//! Valgrind: a program that runs another one and counts what that executes.

use std::io;
use std::path::PathBuf;

use super::{Runner, command};

/// What it is called, to be found on the `PATH`.
const PROGRAM: &str = "valgrind";

/// A Valgrind that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valgrind {
    /// What it says that it is: `valgrind-3.19.0`.
    pub version: String,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum ValgrindError {
    /// It cannot be started.
    #[error("`valgrind` cannot be started")]
    NotStarted(#[from] io::Error),
    /// It does not say its version.
    #[error("`valgrind --version` fails: {said}")]
    Broken {
        /// What it says.
        said: String,
    },
}

impl ValgrindError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "install the package `valgrind` with the system's package manager (`sudo apt-get install valgrind`)"
    }
}

impl Valgrind {
    /// The one on the `PATH`.
    ///
    /// # Errors
    /// It is missing or does not work.
    pub fn find() -> Result<Valgrind, ValgrindError> {
        let output = command(PROGRAM).arg("--version").output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match output.status.success() {
            true => Ok(Valgrind {
                version: text(&output.stdout),
            }),
            false => Err(ValgrindError::Broken {
                said: text(&output.stderr),
            }),
        }
    }

    /// The program that launches a benchmark so that Valgrind runs it with these arguments: behind the user's own,
    /// where there is one.
    #[must_use]
    pub fn behind(own: Option<&Runner>, arguments: Vec<String>) -> Runner {
        let Some(own) = own else {
            return Runner {
                program: PathBuf::from(PROGRAM),
                arguments,
                typed: PROGRAM.to_owned(),
                named_in: "`--instructions`".to_owned(),
                variable: String::new(),
            };
        };
        let before = own.arguments.iter().cloned();
        Runner {
            arguments: before
                .chain([PROGRAM.to_owned()])
                .chain(arguments)
                .collect(),
            typed: format!("{} {PROGRAM}", own.typed),
            ..own.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrind_is_launched_by_the_users_own_runner() {
        let alone = Valgrind::behind(None, vec!["-q".to_owned()]);
        assert_eq!(alone.program, PathBuf::from("valgrind"));
        assert_eq!(alone.arguments, ["-q"]);
        let own = Runner {
            program: PathBuf::from("/usr/bin/taskset"),
            arguments: vec!["-c".to_owned(), "1".to_owned()],
            typed: "taskset -c 1".to_owned(),
            named_in: "`.cargo/config.toml`".to_owned(),
            variable: "CARGO_TARGET_X_RUNNER".to_owned(),
        };
        let both = Valgrind::behind(Some(&own), vec!["-q".to_owned()]);
        assert_eq!(both.program, own.program);
        assert_eq!(both.arguments, ["-c", "1", "valgrind", "-q"]);
        assert_eq!(
            both.to_string(),
            "`taskset -c 1 valgrind` (`.cargo/config.toml`)"
        );
    }
}
