//! Processes that left the process group of the benchmark that started them: daemons, after `setsid`
//! and a double fork. Each carries the mark of that benchmark's process in its environment, and is
//! adopted by the run, which is a child subreaper (prctl(2), `PR_SET_CHILD_SUBREAPER`).

use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open,
    pidfd_send_signal, set_child_subreaper, waitid,
};

use super::table::{Stat, all, environment, has_program, own_children, stat};

/// The variable that marks every child of a run. All its values have one length: the size of the
/// environment moves the stack of benchmarks.
pub(super) const MARK: &str = "CARGO_PERFCHECK_RUN";

/// What ends the mark of a tool.
const TOOL: &str = "tool000000";

/// When a process is killed, its children become orphans, and the next search finds them. perfcheck
/// gives up on a daemon that restarts itself forever after this many searches.
const GENERATIONS: usize = 64;

/// How long a killed process may take to disappear; the kernel may still be writing on its behalf.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a process may take to execute another program; some processes really have no environment.
const EXECUTING: Duration = Duration::from_millis(50);

/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(1);

/// What a marked process is to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessRole {
    /// A tool: processes that it leaves behind, such as the server of a compilation cache, serve others, too.
    Tool,
    /// A benchmark process, numbered within the run: processes that it leaves behind end with it.
    Benchmark(u32),
}

/// The mark of a process that the run in the folder `run` starts.
pub(crate) fn mark(run: &OsStr, role: ProcessRole) -> OsString {
    let number = match role {
        ProcessRole::Tool => TOOL.to_owned(),
        ProcessRole::Benchmark(number) => format!("{number:010}"),
    };
    let mut mark = run.to_owned();
    mark.push(".");
    mark.push(number);
    mark
}

/// Whose processes are meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    /// Those of one benchmark process, by its mark.
    Process(&'a OsStr),
    /// Those of all benchmark processes of the run in a folder of this name.
    Run(&'a OsStr),
    /// Those of its tools.
    Tools(&'a OsStr),
}

impl Whose<'_> {
    fn includes(self, value: &[u8]) -> bool {
        match self {
            Whose::Process(mark) => value == mark.as_encoded_bytes(),
            Whose::Run(run) => is_of_run(value, run.as_encoded_bytes())
                .is_some_and(|number| number.len() == 10 && number.iter().all(u8::is_ascii_digit)),
            Whose::Tools(run) => is_of_run(value, run.as_encoded_bytes()) == Some(TOOL.as_bytes()),
        }
    }
}

/// What follows the run's name in a mark of that run.
pub(super) fn is_of_run<'v>(value: &'v [u8], run: &[u8]) -> Option<&'v [u8]> {
    value.strip_prefix(run)?.strip_prefix(b".")
}

/// From now on orphaned descendants of this process become its children. Where the system refuses,
/// they are still found at the end of the run.
pub(super) fn adopt_orphans() {
    let _ = set_child_subreaper(Some(getpid()));
}

/// Ends the processes that a dead benchmark process has left among our children.
pub(super) fn end_those_of_process(mark: &OsStr) {
    end(Whose::Process(mark), || own_children().unwrap_or_else(all));
    reap_orphans();
}

/// Ends the processes that the benchmarks of a run have left anywhere on the machine.
pub(super) fn end_those_of_run(run: &OsStr) {
    end(Whose::Run(run), all);
}

/// Ends what the tools of a run have left in this session: what they start for others has one of its own.
pub(super) fn end_tools_of_run(run: &OsStr) {
    let Some(this) = stat(getpid()) else { return };
    let is_here = |pid: &Pid| stat(*pid).is_some_and(|stat| stat.session == this.session);
    end(Whose::Tools(run), || {
        all().into_iter().filter(is_here).collect()
    });
}

fn end(whose: Whose<'_>, candidates: impl Fn() -> Vec<Pid>) {
    for _ in 0..GENERATIONS {
        let mut killed = candidates();
        killed.retain(|pid| kill_if_marked(*pid, whose));
        if killed.is_empty() {
            return;
        }
        let deadline = Instant::now() + PATIENCE;
        for pid in killed {
            while is_alive(pid) && Instant::now() < deadline {
                std::thread::sleep(GLANCE);
            }
            reap_orphan(pid);
        }
    }
}

/// Kills the process if its environment has the mark. A file descriptor holds the process
/// meanwhile, so that no other process with the same id is hit.
fn kill_if_marked(pid: Pid, whose: Whose<'_>) -> bool {
    let held = pidfd_open(pid, PidfdFlags::empty());
    let marked = settled_environment(pid).is_some_and(|environment| {
        environment
            .split(|byte| *byte == 0)
            .filter_map(|variable| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))
            .any(|value| whose.includes(value))
    });
    if !marked {
        return false;
    }
    match held {
        Ok(held) => pidfd_send_signal(held, Signal::KILL).is_ok(),
        // A kernel before Linux 5.3.
        Err(rustix::io::Errno::NOSYS) => kill_process(pid, Signal::KILL).is_ok(),
        Err(_) => false,
    }
}

/// The environment of a process. It reads as empty for a moment while the process executes another
/// program. So an empty environment is read again, unless the process is a kernel thread or dead.
fn settled_environment(pid: Pid) -> Option<Vec<u8>> {
    let deadline = Instant::now() + EXECUTING;
    loop {
        let environment = environment(pid)?;
        if !environment.is_empty() || !has_program(pid) || Instant::now() >= deadline {
            return Some(environment);
        }
        std::thread::sleep(GLANCE);
    }
}

fn is_alive(pid: Pid) -> bool {
    stat(pid).is_some_and(|stat| !stat.has_ended())
}

/// Reaps adopted processes that ended by themselves.
fn reap_orphans() {
    own_children()
        .unwrap_or_default()
        .into_iter()
        .for_each(reap_orphan);
}

/// Reaps a process that has ended and that we adopted, since nothing else waits for it. Our own
/// children are in our group, or lead one in our session: their owner waits for them and must find
/// them.
fn reap_orphan(pid: Pid) {
    let Some(this) = stat(getpid()) else { return };
    let is_own = |stat: &Stat| {
        stat.session == this.session && (stat.group == pid.as_raw_pid() || stat.group == this.group)
    };
    if stat(pid).is_some_and(|stat| stat.has_ended() && !is_own(&stat)) {
        let _ = waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_one_length_and_tell_runs_processes_and_tools_apart() {
        let run = OsStr::new("run-abcdefghijkl");
        let (tool, first) = (
            mark(run, ProcessRole::Tool),
            mark(run, ProcessRole::Benchmark(1)),
        );
        assert_eq!(tool.len(), first.len());
        assert_eq!(
            tool.len(),
            mark(run, ProcessRole::Benchmark(u32::MAX)).len()
        );
        let includes = |whose: Whose<'_>, mark: &OsStr| whose.includes(mark.as_encoded_bytes());
        assert!(includes(Whose::Process(&first), &first));
        assert!(!includes(
            Whose::Process(&first),
            &mark(run, ProcessRole::Benchmark(11))
        ));
        assert!(includes(Whose::Run(run), &first));
        assert!(!includes(Whose::Run(run), &tool));
        assert!(!includes(Whose::Run(OsStr::new("run-abcdefghijk")), &first));
    }
}
