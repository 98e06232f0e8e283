//! Who does the work: the main thread alone, or others as well.

use std::path::Path;

use crate::process::Stat;

/// The share of processor time beyond which other threads count: pinned to one processor with them,
/// a benchmark would be slowed down by at least this much.
const NOTICEABLE: f64 = 0.05;

/// The benchmark's own process, if `leader` was started for it: a runner may have started it as a child.
pub(super) fn worker(leader: u32, executable: &Path) -> u32 {
    crate::process::executing(leader, executable).unwrap_or(leader)
}

/// Who does the work of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// The main thread.
    One,
    /// Others as well.
    Several,
}

/// Processor time of a process and of its children that have ended, in clock ticks of the kernel (10 ms nearly everywhere).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ThreadTimes {
    /// The time of all threads, including those that have ended, and of children: on one processor, these would
    /// slow a benchmark down as well.
    all: u64,
    /// Of the main thread.
    main: u64,
}

impl ThreadTimes {
    /// Reads the times of process `pid`; zero where there is no `/proc`.
    pub(super) fn of(pid: u32) -> ThreadTimes {
        let process = Stat::read(format!("/proc/{pid}/stat"));
        let main = Stat::read(format!("/proc/{pid}/task/{pid}/stat"));
        ThreadTimes {
            all: process.map_or(0, |stat| stat.ticks + stat.children_ticks),
            main: main.map_or(0, |stat| stat.ticks),
        }
    }

    /// Whether the process has worked between `self` and `later`.
    pub(super) fn has_worked(self, later: ThreadTimes) -> bool {
        later.all > self.all
    }

    /// Which threads worked between `self` and `later`. Less than two ticks outside the main thread
    /// may be rounding.
    pub(super) fn since(self, later: ThreadTimes) -> Threads {
        let all = later.all.saturating_sub(self.all);
        let main = later.main.saturating_sub(self.main);
        let others = all.saturating_sub(main);
        if others >= 2 && others as f64 > NOTICEABLE * all as f64 {
            Threads::Several
        } else {
            Threads::One
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `work` of this test in a separate process, and then `look` at it: in the process of all tests, the work
    /// of other tests would be seen, too. Called in both processes.
    fn apart(test: &str, work: impl Fn(), look: impl Fn(u32)) {
        use std::io::Read as _;
        const APART: &str = "TEST_IN_A_PROCESS_OF_ITS_OWN";
        if std::env::var_os(APART).is_some() {
            work();
            // The mark that it is done; it ends when its input does.
            std::io::Write::write_all(&mut std::io::stderr(), b"!").unwrap();
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            return;
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("measure::threads::tests::{test}")])
            .args(["--nocapture", "--test-threads", "1"])
            .env(APART, "1")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut mark = [0];
        child
            .stderr
            .as_mut()
            .unwrap()
            .read_exact(&mut mark)
            .unwrap();
        look(child.id());
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_child_that_has_ended_is_counted() {
        let work = || {
            let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
            let status = std::process::Command::new("sh")
                .args(["-c", script])
                .status();
            assert!(status.unwrap().success());
        };
        apart("a_child_that_has_ended_is_counted", work, |pid| {
            let stat = Stat::read(format!("/proc/{pid}/stat")).unwrap();
            assert!(stat.children_ticks > 0);
        });
    }

    #[test]
    fn work_of_other_threads_is_seen_and_rounding_is_not() {
        let at = |all, main| ThreadTimes { all, main };
        assert_eq!(at(5, 5).since(at(105, 105)), Threads::One);
        assert_eq!(at(5, 5).since(at(106, 105)), Threads::One);
        assert_eq!(at(5, 5).since(at(105, 55)), Threads::Several);
        assert_eq!(at(0, 0).since(at(1000, 998)), Threads::One);
    }

    #[test]
    fn a_thread_that_has_ended_is_counted() {
        let spin = || {
            let start = std::time::Instant::now();
            while start.elapsed().as_millis() < 200 {
                std::hint::spin_loop();
            }
        };
        let work = || std::thread::spawn(spin).join().unwrap();
        apart("a_thread_that_has_ended_is_counted", work, |pid| {
            let times = ThreadTimes::of(pid);
            assert!(times.all > times.main);
        });
    }
}
