//! What libtest reports about a benchmark, and the samples that this summarises.

use std::sync::LazyLock;

use regex::Regex;

/// Samples of each kind that libtest takes: of n iterations, then of five times as many.
const SAMPLES: usize = 50;

/// What one call of `Bencher::iter` leaves in the log: a single iteration, and the samples.
const LOGGED: usize = 1 + 2 * SAMPLES;

/// The time in nanoseconds from which libtest computes the number of iterations per sample.
const TARGET_NS: u64 = 1_000_000;

/// libtest moves samples below this percentile up to it, and those above its counterpart down.
const OUTER_PERCENT: f64 = 5.0;

/// The line that libtest writes about a benchmark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LibtestSummary {
    /// The median time of an iteration, in nanoseconds.
    pub median_ns: f64,
    /// The range from the smallest to the largest, after [`OUTER_PERCENT`] is applied, in nanoseconds.
    pub spread_ns: f64,
    /// Whether both were truncated to whole nanoseconds, as in older versions of libtest.
    pub is_whole: bool,
}

impl LibtestSummary {
    /// Parses what follows `test <name> ... ` in a line of its output; `None` if that is not the result of a
    /// benchmark.
    pub(super) fn parse(result: &str) -> Option<LibtestSummary> {
        static RESULT: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"^bench:\s+([\d,.]+) ns/iter \(\+/- ([\d,.]+)\)").ok());
        let found = RESULT.as_ref()?.captures(result)?;
        let number = |group: usize| found[group].replace(',', "").parse::<f64>().ok();
        Some(LibtestSummary {
            median_ns: number(1)?,
            spread_ns: number(2)?,
            is_whole: !found[1].contains('.'),
        })
    }

    /// The samples that it summarises, if they are in `logged`: the time that the clock seam saw for each timed
    /// region, in nanoseconds.
    #[must_use]
    pub fn samples(&self, logged: &[u64]) -> Option<LibtestSamples> {
        let first = logged.len().checked_sub(LOGGED)?;
        // Earlier calls do not count; libtest ignores them, too.
        let (single, samples) = logged[first..].split_first()?;
        let iterations = 5 * iterations_after(*single);
        let reported = &samples[SAMPLES..];
        let each: Vec<f64> = reported
            .iter()
            .map(|time| *time as f64 / iterations as f64)
            .collect();
        let (median, spread) = summarise(each);
        (self.is_of(self.median_ns, median) && self.is_of(self.spread_ns, spread)).then(|| {
            LibtestSamples {
                iterations,
                times: reported.iter().map(|time| *time as f64).collect(),
                calls: logged.len() / LOGGED,
            }
        })
    }

    /// Whether a reported figure equals this one, rounded as libtest rounds.
    fn is_of(&self, reported: f64, figure: f64) -> bool {
        match self.is_whole {
            true => reported == figure.floor(),
            // Half of the last digit, plus the possible sum of rounding errors.
            false => (reported - figure).abs() <= 0.005 + figure * 1e-12,
        }
    }
}

/// The samples that libtest reports.
#[derive(Debug, Clone, PartialEq)]
pub struct LibtestSamples {
    /// Of each of them.
    pub iterations: u64,
    /// In nanoseconds.
    pub times: Vec<f64>,
    /// How often the benchmark called `Bencher::iter`.
    pub calls: usize,
}

/// How many iterations a sample of the first kind has, after a single iteration that took `single_ns`.
#[must_use]
pub(crate) fn iterations_after(single_ns: u64) -> u64 {
    (TARGET_NS / single_ns.max(1)).max(1)
}

/// How long a single iteration has to take for samples of the first kind to have about this many iterations.
#[must_use]
pub(crate) fn single_for(iterations: f64) -> u64 {
    (TARGET_NS as f64 / iterations).clamp(1.0, TARGET_NS as f64) as u64
}

/// The iterations of all samples of a process whose samples of the first kind have `first` iterations.
#[must_use]
pub(crate) fn iterations_of_all(first: u64) -> Vec<f64> {
    let of = |iterations: u64| std::iter::repeat_n(iterations as f64, SAMPLES);
    of(first).chain(of(5 * first)).collect()
}

/// Median and spread as libtest computes them.
fn summarise(mut samples: Vec<f64>) -> (f64, f64) {
    samples.sort_unstable_by(f64::total_cmp);
    let least = percentile(&samples, OUTER_PERCENT);
    let greatest = percentile(&samples, 100.0 - OUTER_PERCENT);
    // Moving the outer ones inwards does not change the median.
    (percentile(&samples, 50.0), greatest - least)
}

/// A percentile of sorted samples, interpolated between the two nearest ones.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let rank = percent / 100.0 * last as f64;
    let below = rank.floor();
    let at = |index: usize| sorted.get(index.min(last)).copied().unwrap_or_default();
    let low = at(below as usize);
    low + (at(below as usize + 1) - low) * (rank - below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log with one call: a single iteration of 100 µs, so that n is 10.
    fn log() -> Vec<u64> {
        let of = |iterations: u64| (0..50).map(move |sample| iterations * (1000 + sample));
        [100_000].into_iter().chain(of(10)).chain(of(50)).collect()
    }

    // From each iteration of 1000 to 1049 ns: the percentiles 5 and 95 are 1002.45 and 1046.55
    // (Python: statistics.quantiles(range(1000, 1050), n=20, method="inclusive")).
    const REPORTED: &str = "bench:       1,024.50 ns/iter (+/- 44.10) = 7 MB/s";

    #[test]
    fn a_summary_is_read_with_and_without_fractions() {
        let summary = LibtestSummary::parse(REPORTED).unwrap();
        assert_eq!((summary.median_ns, summary.spread_ns), (1024.5, 44.1));
        assert!(!summary.is_whole);
        let old = LibtestSummary::parse("bench:   1,024,000 ns/iter (+/- 3)").unwrap();
        assert_eq!((old.median_ns, old.spread_ns), (1_024_000.0, 3.0));
        assert!(old.is_whole);
        for other in ["ok", "ignored", "FAILED", "bench: "] {
            assert_eq!(LibtestSummary::parse(other), None);
        }
    }

    #[test]
    fn the_samples_behind_a_summary_are_the_last_fifty_of_the_log() {
        let summary = LibtestSummary::parse(REPORTED).unwrap();
        let samples = summary.samples(&log()).unwrap();
        assert_eq!((samples.iterations, samples.calls), (50, 1));
        assert_eq!(samples.times[..2], [50_000.0, 50_050.0]);
        assert_eq!(samples.times.len(), 50);
        let whole = LibtestSummary::parse("bench: 1,024 ns/iter (+/- 44)").unwrap();
        assert!(whole.samples(&log()).is_some());
    }

    #[test]
    fn a_log_of_something_else_is_told_from_that_of_the_summary() {
        let summary = LibtestSummary::parse(REPORTED).unwrap();
        assert_eq!(summary.samples(&log()[1..]), None);
        // Another number of iterations, a sample that is not the reported one, samples out of their order.
        let mut other = log();
        other[0] = 90_000;
        assert_eq!(summary.samples(&other), None);
        let mut other = log();
        other[51..].iter_mut().for_each(|time| *time += 5);
        assert_eq!(summary.samples(&other), None);
        let mut other = log();
        other.rotate_right(25);
        assert_eq!(summary.samples(&other), None);
    }

    #[test]
    fn the_wanted_iterations_follow_from_what_libtest_is_told() {
        for iterations in [1.0, 10.0, 1000.0, 1e6] {
            assert_eq!(iterations_after(single_for(iterations)), iterations as u64);
        }
        assert_eq!(iterations_after(single_for(1e9)), 1_000_000);
        assert_eq!(iterations_after(0), 1_000_000);
        assert_eq!(iterations_after(u64::MAX), 1);
        assert_eq!(iterations_of_all(2)[49..51], [2.0, 10.0]);
    }
}
