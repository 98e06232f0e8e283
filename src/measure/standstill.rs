//! Reasons not to stop a process for a while: it waits for a timer, or for another process that is not stopped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why stopping a process while the other side runs would disturb it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restless {
    /// One of its threads sleeps until a certain time, which would be past whenever it continues.
    Timer,
    /// It is connected to a process that is not stopped.
    Connection,
}

impl std::fmt::Display for Restless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self {
            Restless::Timer => "a thread of its own waits for a timer",
            Restless::Connection => "it is connected to another process",
        };
        write!(
            f,
            "{what}, and stopping it during the other side's turns would disturb that"
        )
    }
}

impl Restless {
    /// Checks process `pid`, whose main thread is held; `port` is our own connection to it. `None` without `/proc`.
    pub(super) fn of(pid: u32, port: u16) -> Option<Restless> {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let descriptors = links(&process.join("fd"));
        let has_timer = descriptors.iter().any(|link| link.contains("[timerfd]"));
        if has_timer || sleeps(&process, pid) {
            return Some(Restless::Timer);
        }
        let own: BTreeSet<&str> = descriptors
            .iter()
            .filter_map(|link| link.strip_prefix("socket:[")?.strip_suffix(']'))
            .collect();
        let tables = ["tcp", "tcp6", "udp", "udp6"].map(|name| {
            std::fs::read_to_string(process.join("net").join(name)).unwrap_or_default()
        });
        reaches_outside(&tables, &own, port).then_some(Restless::Connection)
    }
}

/// The targets of the links in a folder.
fn links(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect()
}

/// Whether a thread beside the main one waits in a system call that ends by itself.
fn sleeps(process: &Path, pid: u32) -> bool {
    let tasks = std::fs::read_dir(process.join("task"));
    let tasks = tasks.into_iter().flatten().flatten();
    tasks
        .filter(|task| task.file_name().to_str() != Some(pid.to_string().as_str()))
        .filter_map(|task| std::fs::read_to_string(task.path().join("syscall")).ok())
        .any(|call| has_timeout(&call))
}

/// System calls by number: of x86-64 and of aarch64.
const NANOSLEEP: [u64; 2] = [35, 101];
const CLOCK_NANOSLEEP: [u64; 2] = [230, 115];
const FUTEX: [u64; 2] = [202, 98];
const EPOLL_WAIT: [u64; 2] = [232, 22];
const EPOLL_PWAIT: [u64; 2] = [281, 22];

/// Operations of [`FUTEX`] that wait: `FUTEX_WAIT`, `FUTEX_WAIT_BITSET`.
const WAITS: [u64; 2] = [0, 9];

/// Whether a line of `/proc/<pid>/task/<tid>/syscall` (the number, then six arguments) is a wait with a time-out.
fn has_timeout(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else {
        return false;
    };
    let arguments: Vec<u64> = words
        .map_while(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok())
        .collect();
    let argument = |at: usize| arguments.get(at).copied().unwrap_or(0);
    let own = usize::from(cfg!(target_arch = "aarch64"));
    let is = |call: [u64; 2]| number == call[own];
    if is(NANOSLEEP) || is(CLOCK_NANOSLEEP) {
        true
    } else if is(FUTEX) {
        WAITS.contains(&(argument(1) & 0x7f)) && argument(3) != 0
    } else if is(EPOLL_WAIT) || is(EPOLL_PWAIT) {
        // Minus one is for ever.
        argument(3) as u32 as i32 >= 0
    } else {
        false
    }
}

/// Whether one of the sockets `own` is connected to one that is not among them, except to the local `port`. The
/// tables are those of proc_net(5): addresses in the second and third column, the state in the fourth, the socket's
/// number in the tenth.
fn reaches_outside(tables: &[String], own: &BTreeSet<&str>, port: u16) -> bool {
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let ours: Vec<(String, String)> = rows
        .map(|row| row.split_ascii_whitespace().collect::<Vec<&str>>())
        .filter(|columns| columns.get(9).is_some_and(|socket| own.contains(socket)))
        .filter(|columns| columns[3] == ESTABLISHED)
        .map(|columns| (short(columns[1]), short(columns[2])))
        .collect();
    let host = format!("0100007F:{port:04X}");
    ours.iter()
        .filter(|(_, remote)| *remote != host)
        .any(|(_, remote)| !ours.iter().any(|(local, _)| local == remote))
}

/// A TCP connection that is open, or a UDP socket that has a peer.
const ESTABLISHED: &str = "01";

/// The address; one of version 4 without the prefix that maps it into version 6.
fn short(address: &str) -> String {
    let mapped = address.strip_prefix("0000000000000000FFFF0000");
    mapped.unwrap_or(address).to_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn waits_that_end_by_themselves_are_told_from_those_that_do_not() {
        if cfg!(target_arch = "x86_64") {
            for (line, expected) in [
                ("230 0x0 0x0 0x7ff 0x7ff 0x0 0x0 0x7ffc 0x7f4f", true),
                ("35 0x7ff 0x7ff 0x0 0x0 0x0 0x0 0x7ffc 0x7f4f", true),
                (
                    "202 0x7f 0x89 0x0 0x7ffe 0x0 0xffffffff 0x7ffc 0x7f4f",
                    true,
                ),
                ("202 0x7f 0x189 0x0 0x0 0x0 0xffffffff 0x7ffc 0x7f4f", false),
                ("202 0x7f 0x81 0x0 0x7ffe 0x0 0x0 0x7ffc 0x7f4f", false),
                ("232 0x3 0x7f 0x400 0x64 0x0 0x0 0x7ffc 0x7f4f", true),
                ("232 0x3 0x7f 0x400 0xffffffff 0x0 0x0 0x7ffc 0x7f4f", false),
                ("running", false),
                ("", false),
            ] {
                assert_eq!(has_timeout(line), expected, "{line}");
            }
        }
    }

    #[test]
    fn a_connection_within_a_process_is_none_to_the_outside() {
        let (pid, listener) = (
            std::process::id(),
            TcpListener::bind("127.0.0.1:0").unwrap(),
        );
        let address = listener.local_addr().unwrap();
        let outside = |own: &[&dyn std::os::fd::AsRawFd], port| {
            let sockets: Vec<String> = own
                .iter()
                .map(|socket| {
                    let link = format!("/proc/{pid}/fd/{}", socket.as_raw_fd());
                    let link = std::fs::read_link(link).unwrap();
                    let link = link.to_str().unwrap().to_owned();
                    link.trim_matches(|c: char| !c.is_ascii_digit()).to_owned()
                })
                .collect();
            let own = sockets.iter().map(String::as_str).collect();
            let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
            reaches_outside(&[table], &own, port)
        };
        let near = TcpStream::connect(address).unwrap();
        let (far, _) = listener.accept().unwrap();
        assert!(!outside(&[&near, &far, &listener], 1));
        assert!(outside(&[&near, &listener], 1));
        assert!(!outside(&[&near, &listener], address.port()));
        assert!(!outside(&[&listener], 1));
    }
}
