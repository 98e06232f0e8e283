//! What one process may use, set by the process itself before it becomes the program: perfcheck and its other children are never
//! limited.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, setrlimit};

/// The first word of the launcher for a program that it limits and then becomes.
pub(super) const WORD: &str = "__limit";

/// No limit.
const NONE: &str = "-";

/// What stands between the limits and the program.
const END: &str = "--";

/// The status of a launcher that could not set a limit or become the program.
pub(super) const STATUS: u8 = 127;

/// The limits of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProcessLimits {
    /// The program that sets them and then becomes the limited one.
    pub(super) launcher: PathBuf,
    /// What it has to be told first.
    pub(super) subcommand: Option<&'static str>,
    /// Its address space in bytes.
    pub(crate) address_space: Option<u64>,
    /// The numbers of its open files lie below this.
    pub(crate) files: Option<u64>,
    /// The control groups that it enters.
    pub(crate) groups: Vec<PathBuf>,
}

impl ProcessLimits {
    /// A command that starts `program` within these limits; its arguments can be added.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let number = |limit: Option<u64>| limit.map_or(NONE.to_owned(), |limit| limit.to_string());
        let mut command = Command::new(&self.launcher);
        command
            .args(self.subcommand)
            .arg(WORD)
            .arg(number(self.address_space))
            .arg(number(self.files))
            .args(&self.groups)
            .arg(END)
            .arg(program);
        command
    }
}

/// Sets the limits that `words` name, and becomes the program; says why where that is not possible.
pub(super) fn become_limited(words: &[OsString]) -> io::Error {
    match limited(words) {
        // It returns only if it fails.
        Ok(mut command) => command.exec(),
        Err(error) => error,
    }
}

fn limited(words: &[OsString]) -> io::Result<Command> {
    let [address_space, files, rest @ ..] = words else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let end = rest.iter().position(|word| word == END);
    let (groups, program) = rest.split_at(end.ok_or(io::ErrorKind::InvalidInput)?);
    let [_, program, arguments @ ..] = program else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for group in groups {
        // Zero is this process.
        fs_err::write(Path::new(group).join("cgroup.procs"), "0")?;
    }
    for (resource, limit) in [(Resource::Nofile, files), (Resource::As, address_space)] {
        let limit = limit.to_str().and_then(|limit| limit.parse::<u64>().ok());
        if let Some(limit) = limit {
            // The hard limit as well: some programs raise the soft one to it.
            let limit = Rlimit {
                current: Some(limit),
                maximum: Some(limit),
            };
            setrlimit(resource, limit)?;
        }
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_order_is_refused() {
        let words = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
        for text in ["-", "- -", "- - a b", "- - --"] {
            assert!(limited(&words(text)).is_err(), "{text}");
        }
        let command = limited(&words("- - -- prog --port -- 1")).unwrap();
        let shown: Vec<_> = command.get_args().collect();
        assert_eq!(shown, ["--port", "--", "1"]);
    }
}
