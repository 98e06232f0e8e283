//! Rules for single benchmarks, by glob.

use std::time::Duration;

use crate::units::{BenchmarkKey, Ratio};

use super::super::PlanError;
use super::super::value::{Share, Span};
use super::ValueOrigin;
use super::entry::{EntryKey, EntryKind, EntryReader, EntryScope, MATCH, PACKAGE, TARGET};
use super::pattern::Selector;

/// The key of the list of rules: `[[benchmark]]`.
pub(super) const KEY: &str = "benchmark";

/// The keys of one rule.
pub(super) const KEYS: &[EntryKey] = &[
    MATCH,
    PACKAGE,
    TARGET,
    EntryKey::text(
        "threshold",
        "The smallest difference that counts, for example `3%`",
    ),
    EntryKey::text(
        "time-per-benchmark",
        "Timed work per side, for example `10s`",
    ),
    EntryKey::of("skip", EntryKind::Switch, "Do not measure it"),
    EntryKey::of(
        "required",
        EntryKind::Switch,
        "Reject the change where it fails or was removed",
    ),
];

/// All rules; for each key the last one that matches counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(Vec<Rule>);

/// One rule: which benchmarks it applies to, and what it sets for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    whose: Selector,
    threshold: Option<Ratio>,
    time: Option<Duration>,
    obligation: Option<Obligation>,
    origin: ValueOrigin,
}

/// Whether a benchmark takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obligation {
    /// Not measured.
    Skipped,
    /// Measured where it can be.
    Optional,
    /// Measured, and the run is rejected if the benchmark fails or was removed.
    Required,
}

/// What the rules set for one benchmark; `None` means the plan's own setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BenchmarkRules {
    /// Its own practical threshold.
    pub threshold: Option<Ratio>,
    /// Its own budget of timed work per side.
    pub time: Option<Duration>,
    /// Whether it takes part.
    pub obligation: Obligation,
}

impl Rules {
    pub(super) fn push(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Sets the threshold of one benchmark, whatever its package, unless a rule sets another.
    pub(in super::super) fn assume_threshold(&mut self, target: &str, id: &str, threshold: Ratio) {
        let Some(whose) = Selector::exactly(target, id) else {
            return;
        };
        let rule = Rule {
            whose,
            threshold: Some(threshold),
            time: None,
            obligation: None,
            origin: ValueOrigin::Default,
        };
        self.0.insert(0, rule);
    }

    /// What holds for one benchmark.
    #[must_use]
    pub fn of(&self, key: &BenchmarkKey) -> BenchmarkRules {
        let matching = || {
            let strongest_first = self.0.iter().rev();
            strongest_first.filter(|rule| rule.whose.speaks_of(key))
        };
        BenchmarkRules {
            threshold: matching().find_map(|rule| rule.threshold),
            time: matching().find_map(|rule| rule.time),
            obligation: matching()
                .find_map(|rule| rule.obligation)
                .unwrap_or(Obligation::Optional),
        }
    }

    /// The longest budget of time that a rule gives.
    #[must_use]
    pub fn longest_time(&self) -> Option<Duration> {
        self.0.iter().filter_map(|rule| rule.time).max()
    }

    /// The required entries that match none of `benchmarks`, as they were typed.
    pub fn required_in_vain<'a>(
        &self,
        benchmarks: impl Iterator<Item = &'a BenchmarkKey> + Clone,
    ) -> Vec<String> {
        let required = |rule: &&Rule| rule.obligation == Some(Obligation::Required);
        let in_vain = |rule: &&Rule| {
            let mut all = benchmarks.clone();
            !all.any(|key| rule.whose.speaks_of(key))
        };
        let rules = self.0.iter().filter(required).filter(in_vain);
        rules.map(|rule| rule.whose.to_string()).collect()
    }

    /// Each rule with its text and its place, for `cargo perfcheck config`.
    pub(super) fn shown(&self) -> impl Iterator<Item = (String, &ValueOrigin)> {
        self.0.iter().map(|rule| {
            let threshold = rule
                .threshold
                .map(Ratio::as_change)
                .map(Share::from_fraction);
            let time = rule.time.map(humantime::format_duration);
            let obligation = rule.obligation.map(|obligation| match obligation {
                Obligation::Skipped => "skip",
                Obligation::Optional => "optional",
                Obligation::Required => "required",
            });
            let said = [
                threshold.map(|share| format!("threshold {share}")),
                time.map(|time| format!("time-per-benchmark {time}")),
                obligation.map(str::to_owned),
            ];
            let said: Vec<String> = said.into_iter().flatten().collect();
            (format!("{}: {}", rule.whose, said.join(", ")), &rule.origin)
        })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads one rule.
pub(super) fn read(
    table: &toml::Table,
    scope: EntryScope<'_>,
    origin: &ValueOrigin,
) -> Result<Rule, PlanError> {
    let reader = EntryReader {
        table,
        keys: KEYS,
        scope,
        origin,
        what: "a benchmark",
    };
    Ok(Rule {
        whose: reader.selector()?,
        threshold: reader
            .parsed::<Share>("threshold")?
            .map(|share| Ratio::from_change(share.as_fraction())),
        time: reader
            .parsed::<Span>("time-per-benchmark")?
            .map(Span::as_duration),
        obligation: match (reader.switch("skip")?, reader.switch("required")?) {
            (Some(true), Some(true)) => {
                return Err(reader.invalid("skip", "a required benchmark cannot be skipped"));
            }
            (Some(true), _) => Some(Obligation::Skipped),
            (_, Some(true)) => Some(Obligation::Required),
            (None, None) => None,
            _ => Some(Obligation::Optional),
        },
        origin: origin.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, PlanError> {
        let table: toml::Table = text.parse().unwrap();
        let mut rules = Rules::default();
        for rule in table[KEY].as_array().unwrap() {
            let rule = read(
                rule.as_table().unwrap(),
                EntryScope::Workspace,
                &ValueOrigin::Default,
            )?;
            rules.push(rule);
        }
        Ok(rules)
    }

    #[test]
    fn the_last_rule_that_says_something_counts_key_by_key() {
        let rules = rules(
            r#"
            [[benchmark]]
            match = "parse/*"
            threshold = "3%"
            time-per-benchmark = "5s"
            [[benchmark]]
            match = "parse/large/*"
            threshold = "10%"
            "#,
        )
        .unwrap();
        let large = rules.of(&BenchmarkKey::new("a", "b", "parse/large/1024"));
        assert_eq!(large.threshold, Some(Ratio::from_change(0.1)));
        assert_eq!(large.time, Some(Duration::from_secs(5)));
        let other = rules.of(&BenchmarkKey::new("a", "b", "sum"));
        assert_eq!(other.threshold, None);
        assert_eq!(other.obligation, Obligation::Optional);
    }

    #[test]
    fn a_rule_can_be_taken_back() {
        let rules =
            rules("[[benchmark]]\nskip = true\n[[benchmark]]\nmatch = 'fast*'\nskip = false\n")
                .unwrap();
        assert_eq!(
            rules.of(&BenchmarkKey::new("a", "b", "slow")).obligation,
            Obligation::Skipped
        );
        assert_eq!(
            rules.of(&BenchmarkKey::new("a", "b", "fast")).obligation,
            Obligation::Optional
        );
    }

    #[test]
    fn what_contradicts_itself_or_is_no_glob_is_refused_with_its_place() {
        for text in [
            "[[benchmark]]\nskip = true\nrequired = true\n",
            "[[benchmark]]\nmatch = 'a[b'\n",
            "[[benchmark]]\nthreshold = '3'\n",
            "[[benchmark]]\nskip = 'yes'\n",
        ] {
            let error = rules(text).unwrap_err();
            assert!(error.to_string().contains("of a benchmark in"), "{error}");
        }
    }
}
