//! What a build waited for.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long a build waited for each crate: from the end of the crate before to its own. These times, plus the time
/// after the last crate, add up to the time of the build; work on several processors at once is not counted twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits(BTreeMap<String, Duration>);

/// Crates that take a smaller share of the build are not worth mentioning.
const NOTICEABLE: f64 = 0.05;

impl Waits {
    pub(super) fn add(&mut self, krate: String, took: Duration) {
        *self.0.entry(krate).or_default() += took;
    }

    /// Adds what a later part of the build waited for.
    pub(super) fn extend(&mut self, later: Waits) {
        for (krate, took) in later.0 {
            self.add(krate, took);
        }
    }

    /// The crates that were waited for longest in a build that took so long: at most `count`, the longest first, without
    /// those that hardly matter.
    #[must_use]
    pub fn longest(&self, count: usize, took: Duration) -> Vec<(&str, Duration)> {
        let noticeable = took.mul_f64(NOTICEABLE).max(Duration::from_secs(1));
        let mut longest: Vec<(&str, Duration)> = self
            .0
            .iter()
            .map(|(krate, waited)| (krate.as_str(), *waited))
            .filter(|(_, waited)| *waited >= noticeable)
            .collect();
        longest.sort_by(|(_, one), (_, other)| other.cmp(one));
        longest.truncate(count);
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_that_a_build_waited_for_are_named_the_longest_first() {
        let mut waits = Waits::default();
        let second = Duration::from_secs;
        for (krate, took) in [
            ("syn", 9),
            ("serde", 2),
            ("demo", 30),
            ("syn", 3),
            ("libc", 1),
        ] {
            waits.add(krate.to_owned(), second(took));
        }
        let all = waits.longest(5, second(46));
        assert_eq!(all, [("demo", second(30)), ("syn", second(12))]);
        assert_eq!(waits.longest(1, second(46)), [("demo", second(30))]);
        assert_eq!(waits.longest(5, second(10)).len(), 4);
    }
}
