//! The set-up that processes repeat each time, before and between their benchmarks.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::discover::Target;
use crate::units::Paired;

use super::BenchmarkKey;
use super::budget::FIRST_LOOK;

/// Less than this is not worth a note.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// The set-up of the processes of each target, by package and name.
#[derive(Debug, Default)]
pub(super) struct SetUps(BTreeMap<(String, String), SetUp>);

#[derive(Debug)]
struct SetUp {
    /// How long a process of each side takes for it.
    took: Paired<Duration>,
    /// How many times longer than usual the rounds are.
    stretch: f64,
    /// How many benchmarks share it.
    benchmarks: u32,
}

impl SetUp {
    fn of(took: Paired<Duration>) -> SetUp {
        SetUp {
            took,
            stretch: 1.0,
            benchmarks: 1,
        }
    }
}

impl SetUps {
    /// Records how long a process of each side of the target took outside of all benchmarks.
    pub(super) fn see(&mut self, target: &Target, took: Paired<Duration>) {
        let name = (target.package.clone(), target.target.clone());
        let known = self.0.entry(name).or_insert(SetUp::of(took));
        known.took.base = known.took.base.max(took.base);
        known.took.head = known.took.head.max(took.head);
    }

    /// Makes rounds longer if their benchmarks together take less time than the set-up. Of at most `most` rounds,
    /// at least those of the first look remain.
    pub(super) fn share(&mut self, rounds: &BTreeMap<&BenchmarkKey, Duration>, most: usize) {
        let longest = most as f64 / FIRST_LOOK as f64;
        for ((package, target), set_up) in &mut self.0 {
            let own = |key: &BenchmarkKey| key.package == *package && key.target == *target;
            let own: Vec<Duration> = rounds
                .iter()
                .filter(|(key, _)| own(key))
                .map(|(_, round)| *round)
                .collect();
            let benchmarks: Duration = own.iter().sum();
            set_up.benchmarks = u32::try_from(own.len().max(1)).unwrap_or(u32::MAX);
            let all = (set_up.took.base + set_up.took.head).as_secs_f64();
            let needed = all / benchmarks.as_secs_f64().max(1e-3);
            set_up.stretch = needed.min(longest).max(1.0);
        }
    }

    pub(super) fn stretch(&self, key: &BenchmarkKey) -> f64 {
        self.of(key).map_or(1.0, |set_up| set_up.stretch)
    }

    /// How long the slower side's process takes for it.
    pub(super) fn longest(&self, key: &BenchmarkKey) -> Duration {
        let took = self.of(key).map(|set_up| set_up.took);
        took.map_or(Duration::ZERO, |took| took.base.max(took.head))
    }

    /// A benchmark's share of it in a round.
    pub(super) fn share_of(&self, key: &BenchmarkKey) -> Duration {
        self.of(key).map_or(Duration::ZERO, |set_up| {
            (set_up.took.base + set_up.took.head) / set_up.benchmarks
        })
    }

    /// What the reader should know.
    pub(super) fn note(&self, key: &BenchmarkKey) -> Option<String> {
        let took = self.of(key)?.took;
        let longest = took.base.max(took.head);
        (longest >= WORTH_TELLING).then(|| {
            format!(
                "each of its processes spends {:.1} s outside of any benchmark (set-up, even where a filter leaves it out)",
                longest.as_secs_f64()
            )
        })
    }

    fn of(&self, key: &BenchmarkKey) -> Option<&SetUp> {
        self.0.get(&(key.package.clone(), key.target.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> BenchmarkKey {
        BenchmarkKey {
            package: "p".into(),
            target: "t".into(),
            id: id.into(),
        }
    }

    /// The stretch where each side sets up for `set_up` seconds and has two benchmarks with rounds of one second.
    fn stretch(set_up: u64, most: usize) -> f64 {
        let took = Paired::new(Duration::from_secs(set_up), Duration::from_secs(set_up));
        let name = ("p".to_owned(), "t".to_owned());
        let mut set_ups = SetUps(BTreeMap::from([(name, SetUp::of(took))]));
        let (one, two) = (key("a"), key("b"));
        let second = Duration::from_secs(1);
        set_ups.share(&BTreeMap::from([(&one, second), (&two, second)]), most);
        set_ups.stretch(&one)
    }

    #[test]
    fn rounds_grow_until_the_set_up_is_half_of_them_or_six_are_left() {
        assert_eq!(stretch(0, 30), 1.0);
        assert_eq!(stretch(1, 30), 1.0);
        assert_eq!(stretch(3, 30), 3.0);
        assert_eq!(stretch(60, 30), 5.0);
        assert_eq!(stretch(60, 6), 1.0);
        assert_eq!(stretch(60, 3), 1.0);
    }

    #[test]
    fn another_target_is_none_the_longer() {
        let mut other = key("a");
        other.target = "u".into();
        assert_eq!(SetUps::default().stretch(&other), 1.0);
    }
}
