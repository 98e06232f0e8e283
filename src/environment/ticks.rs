//! What each processor has done since the machine started, in clock ticks (proc_stat(5)).

use std::collections::BTreeMap;

use rustix::thread::{CpuSet, sched_getaffinity};

/// The processors that this process may use. A control group's quota names no processors: under a
/// quota all of them count, since each may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Processors(BTreeMap<usize, Ticks>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    all: u64,
    wanted: u64,
    worked: u64,
    stolen: u64,
}

/// What processors did between two readings, in clock ticks of all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    /// How many processors were looked at.
    pub(super) processors: usize,
    /// The time that went by.
    pub(super) all: u64,
    /// Time with something to do, including time in which another tenant of the host had the processor.
    pub(super) wanted: u64,
    /// Time running programs, including the kernel on their behalf, but no interrupts and no stolen time.
    pub(super) worked: u64,
    /// Time with something to do, while another tenant of the host had the processor.
    pub(super) stolen: u64,
}

impl Processors {
    /// The counters as they are now; `None` if the system does not say.
    pub(super) fn read() -> Option<Processors> {
        let stat = fs_err::read_to_string("/proc/stat").ok()?;
        // On a machine with more processors than the set can hold, the call fails.
        let allowed = sched_getaffinity(None).ok();
        let is_allowed = |cpu| {
            allowed
                .as_ref()
                .is_none_or(|set| cpu < CpuSet::MAX_CPU && set.is_set(cpu))
        };
        Some(Processors::parse(&stat, is_allowed))
    }

    pub(super) fn parse(stat: &str, is_allowed: impl Fn(usize) -> bool) -> Processors {
        let processors = stat.lines().filter_map(processor);
        Processors(processors.filter(|(cpu, _)| is_allowed(*cpu)).collect())
    }

    /// What the processors that are in both readings did since the earlier one.
    pub(super) fn since(&self, earlier: &Processors) -> Work {
        let mut work = Work {
            processors: 0,
            all: 0,
            wanted: 0,
            worked: 0,
            stolen: 0,
        };
        for (cpu, now) in &self.0 {
            let Some(then) = earlier.0.get(cpu) else {
                continue;
            };
            work.processors += 1;
            // The kernel's count of time spent waiting for disks sometimes decreases.
            work.all += now.all.saturating_sub(then.all);
            work.wanted += now.wanted.saturating_sub(then.wanted);
            work.worked += now.worked.saturating_sub(then.worked);
            work.stolen += now.stolen.saturating_sub(then.stolen);
        }
        work
    }
}

/// Ticks with something to do since the machine started, for each processor that this process may use; empty if the
/// system does not say.
pub(crate) fn wanted_ticks() -> BTreeMap<usize, u64> {
    let processors = Processors::read().map(|it| it.0).unwrap_or_default();
    let wanted = processors
        .into_iter()
        .map(|(cpu, ticks)| (cpu, ticks.wanted));
    wanted.collect()
}

/// Parses the line of one processor: `cpu0 user nice system idle iowait irq softirq steal guest
/// guest_nice`; the last two are already included in the first two.
fn processor(line: &str) -> Option<(usize, Ticks)> {
    let mut words = line.split_ascii_whitespace();
    let cpu = words.next()?.strip_prefix("cpu")?.parse().ok()?;
    let fields = words.take(8).map_while(|word| word.parse().ok());
    let fields: Vec<u64> = fields.collect();
    let [user, nice, system, idle, iowait, ..] = fields[..] else {
        return None;
    };
    let all: u64 = fields.iter().sum();
    // Old kernels leave the last fields out.
    let stolen = fields.get(7).copied().unwrap_or(0);
    let ticks = Ticks {
        all,
        wanted: all - idle - iowait,
        worked: user + nice + system,
        stolen,
    };
    Some((cpu, ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "cpu  1 1 1 1\n\
        cpu0 100 0 100 500 100 1 2 3 7 0\n\
        cpu1 100 0 100 500 100 1 2 3 7 0\n\
        cpu2 0 0 0 0 0 0 0 0 0 0\nintr 5\n";
    const AFTER: &str = "cpu  9 9 9 9\n\
        cpu0 120 1 104 520 90 2 4 6 9 0\n\
        cpu1 100 0 100 560 100 1 2 3 7 0\n\
        cpu3 50 0 0 0 0 0 0 0 0 0\nintr 6\n";

    fn work(is_allowed: impl Fn(usize) -> bool + Copy) -> Work {
        let before = Processors::parse(BEFORE, is_allowed);
        Processors::parse(AFTER, is_allowed).since(&before)
    }

    #[test]
    fn what_each_processor_did_is_added_up_where_it_was_there_all_the_time() {
        let both = Work {
            processors: 2,
            all: (20 + 1 + 4 + 20 - 10 + 1 + 2 + 3) + 60,
            wanted: 20 + 1 + 4 + 1 + 2 + 3,
            worked: 20 + 1 + 4,
            stolen: 3,
        };
        assert_eq!(work(|_| true), both);
    }

    #[test]
    fn only_the_processors_that_may_be_used_are_looked_at() {
        let idle = Work {
            processors: 1,
            all: 60,
            wanted: 0,
            worked: 0,
            stolen: 0,
        };
        assert_eq!(work(|cpu| cpu == 1), idle);
    }

    #[test]
    fn what_is_no_line_of_a_processor_is_left_out() {
        assert_eq!(processor("cpu  1 2 3 4 5 6 7 8"), None);
        assert_eq!(processor("cpu0 1 2 3 4"), None);
        assert_eq!(processor("intr 1 2 3 4 5 6 7 8"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_processors_and_this_process_may_use_one() {
        let processors = Processors::read().unwrap();
        assert!(!processors.0.is_empty());
        assert_eq!(processors.since(&processors).all, 0);
    }
}
