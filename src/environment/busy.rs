//! How busy other programs keep the processors while this one and its children measure.

use super::occupied::Occupied;
use super::ticks::Processors;
use crate::process::Stat;

/// Clock ticks per processor below which a few rounding errors would look like other programs.
const SHORTEST: u64 = 30;

/// Watches the processors from its creation on.
///
/// Begin and finish it while every child has been waited for: the system adds a child's time to that
/// of its parent when the parent waits for it. Until then it counts as another program's, and so does
/// the time of processes that a child leaves behind.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct BusyWatch {
    start: Option<Reading>,
}

/// All work done up to a point in time.
#[derive(Debug, Clone)]
struct Reading {
    processors: Processors,
    own: u64,
}

impl BusyWatch {
    /// Begins to watch.
    pub(crate) fn begin() -> BusyWatch {
        BusyWatch {
            start: Reading::now(),
        }
    }

    /// What other programs have done since, on average; `None` if the system does not say, or too
    /// little time has passed.
    #[must_use]
    pub(crate) fn finish(self) -> Option<Occupied> {
        between(&self.start?, &Reading::now()?)
    }
}

impl Reading {
    fn now() -> Option<Reading> {
        let stat = Stat::read("/proc/self/stat")?;
        Some(Reading {
            processors: Processors::read()?,
            own: stat.ticks + stat.children_ticks,
        })
    }
}

fn between(before: &Reading, after: &Reading) -> Option<Occupied> {
    let work = after.processors.since(&before.processors);
    if work.all < SHORTEST * work.processors as u64 {
        return None;
    }
    let own = after.own.checked_sub(before.own)?;
    // The processors' time is counted in ticks and a process's more finely, so on a quiet machine
    // our own work can seem to exceed all work.
    Occupied::of(work.worked.saturating_sub(own), &work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(stat: &str, own: u64) -> Reading {
        let processors = Processors::parse(stat, |_| true);
        Reading { processors, own }
    }

    fn begun() -> Reading {
        reading(
            "cpu0 100 0 50 500 0 9 9 0\ncpu1 100 0 50 500 0 9 9 0\n",
            1000,
        )
    }

    #[test]
    fn what_this_program_did_itself_is_taken_off() {
        // 200 ticks: 90 of programs, 50 of them our own; interrupts and stolen time belong to no program.
        let after = reading(
            "cpu0 150 0 60 530 0 12 10 6\ncpu1 110 10 60 565 5 9 9 0\n",
            1050,
        );
        let occupied = between(&begun(), &after).unwrap();
        assert_eq!(occupied.processors, 2);
        assert_eq!(occupied.busy, 40.0 / 200.0 * 2.0);
    }

    #[test]
    fn a_machine_whose_work_is_all_our_own_is_idle_beside_it() {
        let after = reading(
            "cpu0 180 0 60 510 0 9 9 0\ncpu1 100 0 50 600 0 9 9 0\n",
            1093,
        );
        let occupied = between(&begun(), &after).unwrap();
        assert_eq!(occupied.busy, 0.0);
        assert_eq!(occupied.complaint_of_measuring(), None);
    }

    #[test]
    fn a_moment_is_too_short_to_tell() {
        let after = reading(
            "cpu0 110 0 50 500 0 9 9 0\ncpu1 100 0 50 510 0 9 9 0\n",
            1000,
        );
        assert_eq!(between(&begun(), &after), None);
        assert_eq!(between(&reading("", 0), &reading("", 0)), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_systems_own_figures_are_understood() {
        let watch = BusyWatch::begin();
        assert!(watch.start.is_some());
        std::thread::sleep(std::time::Duration::from_secs(1));
        // A guest may be stopped meanwhile, and then its counters stand still.
        if let Some(occupied) = watch.finish() {
            assert!(occupied.processors >= 1);
            assert!(occupied.busy <= occupied.processors as f64, "{occupied:?}");
        }
    }
}
