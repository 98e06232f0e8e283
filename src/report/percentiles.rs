//! What percentiles and standard deviations describe, in the words that every renderer for people shares.
//!
//! A sample's time is the mean of its iterations, so a percentile of samples is one of iterations only if each
//! sample is one iteration.

use crate::analyse::{Change, IterationsPerSample};
use crate::units::Side;

/// `iterations`, `means of 124 iterations`, or `samples` if unknown.
pub(super) fn of(samples: Option<IterationsPerSample>) -> String {
    match samples {
        None => "samples".to_owned(),
        Some(IterationsPerSample { most: 1, .. }) => "iterations".to_owned(),
        Some(samples) => format!("means of {} iterations", range(samples, " to ")),
    }
}

/// The same as a cell of a table: `1 iteration`, `mean of 124`, `mean of 5–100`, `mean of 12 → 30`.
pub(super) fn in_short(time: &Change) -> String {
    let short = |samples: IterationsPerSample| match samples.most {
        1 => "1 iteration".to_owned(),
        _ => format!("mean of {}", range(samples, "–")),
    };
    match (each(time, Side::Base), each(time, Side::Head)) {
        (Some(base), Some(head)) if !base.is_comparable(head) => {
            format!("{} → {}", short(base), range(head, "–"))
        }
        (_, Some(one)) | (Some(one), None) => short(one),
        (None, None) => "sample".to_owned(),
    }
}

/// One sentence about both sides.
pub(super) fn sentence(time: &Change) -> String {
    let figures = "Percentiles and the standard deviation are";
    match (each(time, Side::Base), each(time, Side::Head)) {
        (Some(base), Some(head)) if !base.is_comparable(head) => format!(
            "{figures} of {} on the base side and of {} on the head side: they cannot be compared.",
            of(Some(base)),
            of(Some(head))
        ),
        (base, head) => {
            let one = head.or(base);
            let means = one.is_some_and(|one| one.most > 1);
            let hidden = match means {
                true => ": single slow iterations hardly show in them",
                false => "",
            };
            format!("{figures} of {}{hidden}.", of(one))
        }
    }
}

/// Whether percentiles and standard deviations of both sides mean the same.
pub(super) fn are_comparable(time: &Change) -> bool {
    let both = each(time, Side::Base).zip(each(time, Side::Head));
    both.is_none_or(|(base, head)| base.is_comparable(head))
}

/// How many iterations the samples of one side have.
pub(super) fn each(time: &Change, side: Side) -> Option<IterationsPerSample> {
    time.samples(side)?.iterations
}

fn range(samples: IterationsPerSample, to: &str) -> String {
    match samples.fewest == samples.most {
        true => samples.most.to_string(),
        false => format!("{}{to}{}", samples.fewest, samples.most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::{Observed, SampleSummary};
    use crate::units::Paired;

    fn samples(fewest: u64, most: u64) -> Option<IterationsPerSample> {
        Some(IterationsPerSample { fewest, most })
    }

    fn time(base: Option<IterationsPerSample>, head: Option<IterationsPerSample>) -> Change {
        let observed = |iterations| Observed {
            samples: Some(SampleSummary {
                count: 20,
                iterations,
                quantiles: Vec::new(),
            }),
            ..Observed::sampled(1.0)
        };
        Change {
            sides: Paired::new(base, head).map(|each| Some(observed(each))),
            ..Change::default()
        }
    }

    #[test]
    fn percentiles_are_called_what_they_are_of() {
        assert_eq!(of(samples(1, 1)), "iterations");
        assert_eq!(of(samples(124, 124)), "means of 124 iterations");
        assert_eq!(of(samples(5, 100)), "means of 5 to 100 iterations");
        assert_eq!(of(None), "samples");
        let told = |base, head| in_short(&time(base, head));
        assert_eq!(told(samples(1, 1), samples(1, 1)), "1 iteration");
        assert_eq!(
            told(samples(124, 124), samples(120, 124)),
            "mean of 120–124"
        );
        assert_eq!(told(samples(12, 12), samples(30, 30)), "mean of 12 → 30");
        assert_eq!(told(None, None), "sample");
        let told = |base, head| sentence(&time(base, head));
        assert!(told(samples(1, 1), samples(1, 1)).ends_with("are of iterations."));
        assert!(told(samples(9, 9), samples(9, 9)).contains("of means of 9 iterations: single"));
        assert!(told(samples(1, 1), samples(9, 9)).contains("cannot be compared"));
        assert!(told(None, None).ends_with("are of samples."));
    }

    #[test]
    fn sides_with_other_sizes_of_samples_are_not_comparable() {
        let comparable = |base, head| are_comparable(&time(base, head));
        assert!(comparable(samples(100, 100), samples(100, 100)));
        assert!(comparable(samples(100, 100), samples(110, 120)));
        assert!(!comparable(samples(1, 1), samples(2, 2)));
        assert!(!comparable(samples(100, 100), samples(5, 100)));
        assert!(comparable(None, samples(5, 100)));
    }
}
