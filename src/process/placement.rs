//! On which processors a process runs.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the processes of a benchmark may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// Wherever the system puts them.
    Free,
    /// Both sides run on this processor: switching between them moves no caches, and neither side
    /// has a better processor.
    On(usize),
}

impl Placement {
    /// Runs `start` so that the process that it starts is placed from its first instruction on: a
    /// child inherits the placement of the thread that starts it, and a pool of threads is sized in
    /// the first moments of a process.
    pub(crate) fn apply<T>(self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Placement::On(cpu) = self else {
            return start();
        };
        if cpu >= CpuSet::MAX_CPU {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let before = sched_getaffinity(None)?;
        let mut only = CpuSet::new();
        only.set(cpu);
        sched_setaffinity(None, &only)?;
        let started = start();
        sched_setaffinity(None, &before)?;
        started
    }
}

impl Placement {
    /// Whether the system lets a process be placed like this.
    ///
    /// # Errors
    /// What it says where it does not.
    pub fn attempt(self) -> io::Result<()> {
        self.apply(|| Ok(()))
    }
}

/// The processors that this process may use.
#[must_use]
pub fn allowed_processors() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU)
            .filter(|cpu| set.is_set(*cpu))
            .collect(),
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_that_no_machine_has_is_an_error() {
        assert!(Placement::On(5000).attempt().is_err());
        assert!(Placement::On(CpuSet::MAX_CPU - 1).attempt().is_err());
        let first = allowed_processors()[0];
        assert!(Placement::On(first).attempt().is_ok());
    }

    #[test]
    fn a_child_is_placed_and_its_parent_is_not() {
        let before = allowed_processors();
        let last = *before.last().unwrap();
        let run = || {
            std::process::Command::new("grep")
                .args(["Cpus_allowed_list", "/proc/self/status"])
                .output()
        };
        let output = Placement::On(last).apply(run).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            text.split_ascii_whitespace().last(),
            Some(last.to_string().as_str())
        );
        assert_eq!(allowed_processors(), before);
    }
}
