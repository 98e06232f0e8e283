//! The program that launches another one: `target.<triple>.runner` of cargo's configuration.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that the user configured, started with a benchmark's command line as its last arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Absolute where the setting names a path, else to be found on the `PATH`.
    pub program: PathBuf,
    /// What comes before the benchmark's own command line.
    pub arguments: Vec<String>,
    /// The command as the user knows it, without the folder of the checkout.
    pub typed: String,
    /// The setting and its file, or the variable.
    pub named_in: String,
    /// The variable that outranks that setting.
    pub variable: String,
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.typed, self.named_in)
    }
}

impl Runner {
    /// The files that it is made of: the program, and arguments that name a file from `working_dir`.
    pub fn files(&self, working_dir: &Path) -> impl Iterator<Item = PathBuf> {
        let arguments = self.arguments.iter().map(|word| working_dir.join(word));
        [self.program.clone()].into_iter().chain(arguments)
    }

    /// `program`, launched by `runner` if there is one.
    pub(crate) fn launch(runner: Option<&Runner>, program: &Path) -> Command {
        let Some(runner) = runner else {
            return Command::new(program);
        };
        let mut command = Command::new(&runner.program);
        command.args(&runner.arguments).arg(program);
        command
    }

    /// The error of a program that could not be started, with the name of its runner.
    pub(crate) fn blame(runner: Option<&Runner>, source: io::Error) -> io::Error {
        match runner {
            Some(runner) => io::Error::new(source.kind(), format!("{runner}: {source}")),
            None => source,
        }
    }
}
