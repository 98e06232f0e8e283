//! What a process group uses of the machine, as `/proc` says.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::Pid;

use super::table::{Stat, all, stat};

/// What the processes of a group have used, and hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct GroupUsage {
    /// Processor time of the threads that live, in nanoseconds, by thread.
    threads: BTreeMap<i32, u64>,
    /// Processor time of all threads and children that ever lived, in ticks.
    ticks: u64,
    /// Resident memory in bytes.
    pub(crate) resident: u64,
    /// Open file descriptors, sockets included.
    pub(crate) files: u64,
}

impl GroupUsage {
    /// What the group of the process `leader` uses now.
    pub(crate) fn of(leader: u32) -> GroupUsage {
        let mut usage = GroupUsage::default();
        let is_member = |stat: &Stat| u32::try_from(stat.group).is_ok_and(|group| group == leader);
        for pid in all() {
            if let Some(stat) = stat(pid).filter(is_member) {
                usage.add(pid, &stat);
            }
        }
        usage
    }

    fn add(&mut self, pid: Pid, stat: &Stat) {
        let folder = format!("/proc/{}", pid.as_raw_pid());
        self.ticks += stat.ticks + stat.children_ticks;
        let pages = std::fs::read_to_string(format!("{folder}/statm")).unwrap_or_default();
        let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        self.resident += pages.unwrap_or(0u64) * page_size() as u64;
        let files = std::fs::read_dir(format!("{folder}/fd"));
        self.files += files.map_or(0, |files| files.count() as u64);
        let Ok(threads) = std::fs::read_dir(format!("{folder}/task")) else {
            return;
        };
        for thread in threads.flatten() {
            let time = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let time = time.split(' ').next().and_then(|time| time.parse().ok());
            let id = thread.file_name().to_str().and_then(|id| id.parse().ok());
            if let Some(id) = id {
                self.threads.insert(id, time.unwrap_or(0));
            }
        }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> u64 {
        self.threads.len() as u64
    }

    /// The processor time since an earlier look.
    ///
    /// Ticks count every thread, but in steps of a hundredth of a second; the scheduler counts nanoseconds, but forgets
    /// threads that have ended. Where none is gone, and ticks show no more, no thread was forgotten.
    pub(crate) fn processor_time_since(&self, earlier: &GroupUsage) -> Duration {
        let tick = Duration::from_secs(1) / u32::try_from(clock_ticks_per_second()).unwrap_or(100);
        let ticks = u32::try_from(self.ticks.saturating_sub(earlier.ticks)).unwrap_or(u32::MAX);
        let coarse = tick * ticks;
        let fine = self.threads.iter().map(|(id, now)| {
            let before = earlier.threads.get(id).copied().unwrap_or(0);
            now.saturating_sub(before)
        });
        let fine = Duration::from_nanos(fine.sum());
        let is_gone = |id: &i32| !self.threads.contains_key(id);
        match earlier.threads.keys().any(is_gone) || coarse > fine + tick {
            true => coarse.max(fine),
            false => fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(threads: &[(i32, u64)], ticks: u64) -> GroupUsage {
        GroupUsage {
            threads: threads.iter().copied().collect(),
            ticks,
            ..GroupUsage::default()
        }
    }

    #[test]
    fn threads_that_live_are_counted_exactly_and_those_that_ended_in_ticks() {
        let before = at(&[(1, 5_000_000)], 0);
        let after = at(&[(1, 25_000_000), (2, 3_000_000)], 2);
        let used = after.processor_time_since(&before);
        assert_eq!(used, Duration::from_millis(23));
        // Thread 2 was there before, and is gone with what it did since.
        let with_second = at(&[(1, 5_000_000), (2, 1_000_000)], 0);
        let second = Duration::from_secs(1) / u32::try_from(clock_ticks_per_second()).unwrap();
        assert_eq!(
            at(&[(1, 6_000_000)], 1).processor_time_since(&with_second),
            second
        );
        // It did most of the work, and was never seen.
        let after = at(&[(1, 25_000_000)], 100);
        assert_eq!(
            after.processor_time_since(&before),
            Duration::from_secs(100) / u32::try_from(clock_ticks_per_second()).unwrap()
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_group_is_seen_with_its_threads_files_and_memory() {
        use std::os::unix::process::CommandExt as _;
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .unwrap();
        let usage = GroupUsage::of(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(usage.threads(), 1);
        assert!(usage.files >= 3 && usage.resident > 0, "{usage:?}");
        assert_eq!(GroupUsage::of(child.id()), GroupUsage::default());
    }
}
