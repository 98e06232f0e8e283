//! Do the log and the times that Criterion reported agree?

use super::SampleRecord;

/// Whether the seam has seen what Criterion reported.
#[derive(Debug, Clone, PartialEq)]
pub enum Reconciliation {
    /// Every reported time is the timed sum of its record, to the nanosecond. One record per
    /// reported sample, in order; those of the warm-up are left out.
    Agreed(Vec<SampleRecord>),
    /// Something differs: neither the log nor the times of this run can be trusted (a sample may
    /// have waited for its turn while it was timed). Measure again with the seam off.
    Disagreed(Disagreement),
}

/// What differs first.
#[derive(Debug, Clone, PartialEq)]
pub enum Disagreement {
    /// The log has fewer samples than were reported (none at all where the benchmark uses
    /// `iter_custom`, or its own measurement).
    TooFew {
        /// Samples in the log.
        logged: usize,
        /// Samples reported.
        reported: usize,
    },
    /// A sample's time is another one.
    Time {
        /// Which of the reported samples, from zero.
        sample: usize,
        /// What the log says, in nanoseconds.
        logged_ns: u64,
        /// What Criterion reported, in nanoseconds.
        reported_ns: f64,
    },
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Disagreement::TooFew { logged: 0, .. } => f.write_str(
                "none of its samples was seen (`iter_custom`, a thread other than the main one, or more \
                 samples than the log holds)",
            ),
            Disagreement::TooFew { logged, reported } => {
                write!(f, "the log has {logged} samples of {reported} reported")
            }
            Disagreement::Time {
                sample,
                logged_ns,
                reported_ns,
            } => write!(
                f,
                "sample {sample} took {logged_ns} ns by the log and {reported_ns} ns as reported \
                 (does the benchmark read the clock itself?)"
            ),
        }
    }
}

/// Compares the log of a benchmark with its reported times in nanoseconds. The warm-up is logged
/// but never reported, so the reported samples are the last ones in the log.
#[must_use]
pub fn reconcile(log: &[SampleRecord], reported_times: &[f64]) -> Reconciliation {
    let Some(warm_up) = log.len().checked_sub(reported_times.len()) else {
        return Reconciliation::Disagreed(Disagreement::TooFew {
            logged: log.len(),
            reported: reported_times.len(),
        });
    };
    let samples = &log[warm_up..];
    let differing = samples
        .iter()
        .zip(reported_times)
        .position(|(record, &time)| record.regions == 0 || record.timed_ns as f64 != time);
    match differing {
        None => Reconciliation::Agreed(samples.to_vec()),
        Some(sample) => Reconciliation::Disagreed(Disagreement::Time {
            sample,
            logged_ns: samples[sample].timed_ns,
            reported_ns: reported_times[sample],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(timed_ns: u64) -> SampleRecord {
        SampleRecord {
            start_ns: 1,
            end_ns: 1 + timed_ns,
            timed_ns,
            regions: 1,
            preempted_ns: 0,
        }
    }

    #[test]
    fn the_last_samples_of_the_log_are_the_reported_ones() {
        let log = [record(5), record(10), record(20)];
        let agreed = Reconciliation::Agreed(vec![record(10), record(20)]);
        assert_eq!(reconcile(&log, &[10.0, 20.0]), agreed);
    }

    #[test]
    fn one_nanosecond_of_difference_is_a_disagreement() {
        let log = [record(10), record(20)];
        let disagreed = Disagreement::Time {
            sample: 1,
            logged_ns: 20,
            reported_ns: 21.0,
        };
        let found = reconcile(&log, &[10.0, 21.0]);
        assert_eq!(found, Reconciliation::Disagreed(disagreed));
    }

    #[test]
    fn a_log_that_is_too_short_is_a_disagreement() {
        let found = reconcile(&[], &[10.0]);
        let disagreed = Disagreement::TooFew {
            logged: 0,
            reported: 1,
        };
        assert_eq!(found, Reconciliation::Disagreed(disagreed));
    }
}
