//! How much of the machine other programs use.
//!
//! The load average does not show the present moment: for minutes it includes the build that this
//! program itself has just run.

use std::time::Duration;

use super::ticks::{Processors, Work};

/// Thirty clock ticks of each processor.
const WATCH: Duration = Duration::from_millis(300);

/// Above this share of busy processors, another program is computing, too.
const BUSY_SHARE: f64 = 0.25;

/// How busy other programs keep the processors that this process may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Occupied {
    /// How many processors the others keep busy.
    pub busy: f64,
    /// How many processors were looked at. A container's quota does not make them fewer.
    pub processors: usize,
}

impl Occupied {
    /// From a number of clock ticks within `work`; `None` if no time has passed.
    pub(super) fn of(ticks: u64, work: &Work) -> Option<Occupied> {
        let Work {
            processors, all, ..
        } = *work;
        (all > 0).then(|| Occupied {
            busy: ticks as f64 / all as f64 * processors as f64,
            processors,
        })
    }

    /// A warning, if this is enough to disturb, as a lower-case fragment.
    #[must_use]
    pub(crate) fn complaint(&self) -> Option<String> {
        let Occupied { busy, processors } = *self;
        (busy > BUSY_SHARE * processors as f64).then(|| {
            format!(
                "other programs kept {busy:.1} of {processors} processor{} busy",
                if processors == 1 { "" } else { "s" }
            )
        })
    }

    /// The same for what was seen during the whole measurement.
    #[must_use]
    pub(crate) fn complaint_of_measuring(&self) -> Option<String> {
        let busy = self.complaint()?;
        Some(format!(
            "{busy} while measuring: they competed with the benchmarks, so small changes may have gone \
             unseen"
        ))
    }
}

/// How busy other programs are, observed while this program sleeps for a moment; `None` if the
/// system does not say. Call it while no child of this program works.
#[must_use]
pub(crate) fn occupied() -> Option<Occupied> {
    let before = Processors::read()?;
    std::thread::sleep(WATCH);
    between(&before, &Processors::read()?)
}

fn between(before: &Processors, after: &Processors) -> Option<Occupied> {
    let work = after.since(before);
    Occupied::of(work.wanted, &work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processors(stat: &str) -> Processors {
        Processors::parse(stat, |_| true)
    }

    #[test]
    fn work_is_told_in_processors() {
        let before = processors("cpu0 100 0 100 500 100 0 0 0\ncpu1 0 0 0 500 0 0 0 0\n");
        let after = processors("cpu0 120 0 105 500 100 0 5 0\ncpu1 5 0 0 520 5 0 0 0\n");
        // 35 of 60 ticks of two processors.
        let occupied = between(&before, &after).unwrap();
        assert_eq!(occupied.busy, 35.0 / 60.0 * 2.0);
        assert_eq!(occupied.processors, 2);
    }

    #[test]
    fn a_clock_that_stood_still_and_a_system_that_does_not_say_give_nothing() {
        for stat in ["cpu  100 0 100 500 100\ncpu0 100 0 100 500 100 0 0 0\n", ""] {
            assert_eq!(between(&processors(stat), &processors(stat)), None);
        }
    }

    #[test]
    fn a_machine_that_others_use_is_called_busy_and_an_idle_one_is_not() {
        let of = |busy, processors| Occupied { busy, processors };
        assert_eq!(of(0.4, 2).complaint(), None);
        let busy = of(1.24, 2).complaint().unwrap();
        assert_eq!(busy, "other programs kept 1.2 of 2 processors busy");
        let only = of(0.5, 1).complaint().unwrap();
        assert_eq!(only, "other programs kept 0.5 of 1 processor busy");
        // A container that may use two processors of a large host.
        assert_eq!(of(10.0, 64).complaint(), None);
    }

    #[test]
    fn what_was_seen_while_measuring_is_told_with_its_figures() {
        let of = |busy| Occupied {
            busy,
            processors: 2,
        };
        assert_eq!(of(0.1).complaint_of_measuring(), None);
        let told = of(0.8).complaint_of_measuring().unwrap();
        let figures = "other programs kept 0.8 of 2 processors busy while measuring: ";
        assert!(told.starts_with(figures), "{told}");
    }
}
