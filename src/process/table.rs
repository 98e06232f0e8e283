//! What `/proc` says about processes. perfcheck reads process ids there instead of asking the kernel with system
//! calls, which return 0 for processes outside of a container.

use std::path::Path;

use rustix::process::Pid;

/// Some fields of `/proc/<pid>/stat`; proc_pid_stat(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    state: char,
    /// The process group.
    pub(super) group: i32,
    /// The session.
    pub(super) session: i32,
    /// When it began, in clock ticks since boot.
    pub(super) began: u64,
    /// User and system time in clock ticks: of all threads or, in the file of a thread, of that thread only.
    pub(crate) ticks: u64,
    /// The same for its children that have ended and been waited for.
    pub(crate) children_ticks: u64,
}

impl Stat {
    /// Reads the `stat` file of a process or thread; `None` where there is none.
    pub(crate) fn read(file: impl AsRef<Path>) -> Option<Stat> {
        Stat::parse(&String::from_utf8_lossy(&std::fs::read(file).ok()?))
    }

    fn parse(text: &str) -> Option<Stat> {
        // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
        let (_, rest) = text.rsplit_once(')')?;
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Fields are counted from 1, and those up to the name are gone.
        let field = |number: usize| words.get(number - 3).copied();
        let count = |number| field(number)?.parse::<u64>().ok();
        Some(Stat {
            state: field(3)?.chars().next()?,
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            began: count(22)?,
            ticks: count(14)? + count(15)?,
            children_ticks: count(16)? + count(17)?,
        })
    }

    /// Whether it has ended and only waits to be reaped.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// What `/proc` says of a process, where there is one.
pub(super) fn stat(pid: Pid) -> Option<Stat> {
    Stat::read(format!("/proc/{}/stat", pid.as_raw_pid()))
}

/// The environment that a process was started with, NUL after each variable.
pub(super) fn environment(pid: Pid) -> Option<Vec<u8>> {
    std::fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).ok()
}

/// Whether it executes a program: kernel threads and dead processes do not.
pub(super) fn has_program(pid: Pid) -> bool {
    std::fs::read_link(format!("/proc/{}/exe", pid.as_raw_pid())).is_ok()
}

/// A process in the group of `leader` that executes `program`; the leader itself, if it does.
pub(crate) fn executing(leader: u32, program: &Path) -> Option<u32> {
    let program = program.canonicalize().ok()?;
    let leader = Pid::from_raw(i32::try_from(leader).ok()?)?;
    let executes = |pid: &Pid| {
        let own = std::fs::read_link(format!("/proc/{}/exe", pid.as_raw_pid()));
        own.is_ok_and(|own| own == program)
    };
    let is_member = |pid: &Pid| stat(*pid).is_some_and(|stat| stat.group == leader.as_raw_pid());
    let others = || all().into_iter().filter(is_member).find(executes);
    let found = Some(leader).filter(executes).or_else(others)?;
    u32::try_from(found.as_raw_pid()).ok()
}

/// All processes that can be seen.
pub(super) fn all() -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .collect()
}

/// The children of this process, of all its threads; `None` where the kernel does not list them.
pub(super) fn own_children() -> Option<Vec<Pid>> {
    let mut children = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        match std::fs::read_to_string(thread.path().join("children")) {
            Ok(list) => children.extend(
                list.split_ascii_whitespace()
                    .filter_map(|word| word.parse().ok())
                    .filter_map(Pid::from_raw),
            ),
            // The thread has just ended; otherwise the kernel was built without this file.
            Err(_) if !thread.path().exists() => {}
            Err(_) => return None,
        }
    }
    Some(children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_name_looks_like_fields_is_read_all_the_same() {
        let line = "42 (a) S 1 (b) Z 7 8 9 0 -1 4194304 1 2 3 4 31 11 5 2 20 0 1 0 12345 0 0";
        let stat = Stat::parse(line).expect("the fields");
        assert!(stat.has_ended());
        assert_eq!((stat.group, stat.session, stat.began), (8, 9, 12345));
        assert_eq!((stat.ticks, stat.children_ticks), (42, 7));
    }

    #[test]
    fn what_is_no_such_file_has_no_fields() {
        for text in ["", "8724 (cat) R 8718 8718", "no parenthesis"] {
            assert_eq!(Stat::parse(text), None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_began_at_a_known_time_and_a_missing_one_never_did() {
        let own = rustix::process::getpid();
        assert!(stat(own).is_some_and(|stat| stat.began > 0 && !stat.has_ended()));
        let beyond = Pid::from_raw(i32::MAX).expect("a positive number");
        assert_eq!(stat(beyond), None);
    }
}
