//! Processor time that other tenants of the host took while this machine had work to do.

use super::ticks::{Processors, Work};

/// Watches stolen time from its creation on.
#[derive(Debug, Clone)]
pub(crate) struct StealWatch {
    start: Option<Processors>,
}

impl StealWatch {
    /// Begins to watch.
    #[must_use]
    pub(crate) fn start() -> StealWatch {
        StealWatch {
            start: Processors::read(),
        }
    }

    /// The share (0 to 1) of the processor time wanted since the start that other tenants took.
    /// Idle time does not count: on a machine with many idle processors it would hide stolen time.
    ///
    /// `None` where the system does not say, or nothing ran.
    #[must_use]
    pub(crate) fn share(&self) -> Option<f64> {
        share(&Processors::read()?.since(self.start.as_ref()?))
    }
}

fn share(work: &Work) -> Option<f64> {
    (work.wanted > 0).then(|| work.stolen as f64 / work.wanted as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_time_wanted_since_the_start() {
        let processors = |stat: &str| Processors::parse(stat, |_| true);
        let start = processors("cpu0 100 0 100 5000 9 0 0 50 0 0\n");
        assert_eq!(share(&start.since(&start)), None, "nothing ran");
        let end = processors("cpu0 160 0 120 9000 9 0 0 70 0 0\n");
        assert_eq!(share(&end.since(&start)), Some(0.2));
    }
}
