//! Rules for single benchmarks, by glob.

use std::time::Duration;

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::units::Ratio;

use super::super::PlanError;
use super::super::value::{Share, Span};
use super::Origin;

/// The key of the list of rules: `[[benchmark]]`.
pub(super) const KEY: &str = "benchmark";

/// The keys of one rule.
pub(super) const KEYS: [&str; 7] = [
    "match",
    "package",
    "target",
    "threshold",
    "time",
    "skip",
    "required",
];

/// Whose benchmarks a rule may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// All of the workspace's.
    Workspace,
    /// This package's only.
    Package(&'a str),
}

/// All rules; for each key the last one that matches counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(Vec<Rule>);

/// One rule: which benchmarks it speaks of, and what it says of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    package: Pattern,
    target: Pattern,
    id: Pattern,
    threshold: Option<Ratio>,
    time: Option<Duration>,
    obligation: Option<Obligation>,
}

/// Whether a benchmark takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obligation {
    /// Not measured.
    Skipped,
    /// Measured where it can be.
    Optional,
    /// Measured, and the run is rejected where it fails or was removed.
    Required,
}

/// What the rules say of one benchmark; `None` is what the plan says for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BenchmarkRules {
    /// Its own practical threshold.
    pub threshold: Option<Ratio>,
    /// Its own budget of timed work a side.
    pub time: Option<Duration>,
    /// Whether it takes part.
    pub obligation: Obligation,
}

impl Rules {
    pub(super) fn push(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// What holds for one benchmark.
    #[must_use]
    pub fn of(&self, package: &str, target: &str, id: &str) -> BenchmarkRules {
        let matching = || {
            let strongest_first = self.0.iter().rev();
            strongest_first.filter(|rule| rule.speaks_of(package, target, id))
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

    /// The patterns of ids that are required, so that one which matches nothing can be told.
    #[must_use]
    pub fn required_patterns(&self) -> Vec<&str> {
        let required = |rule: &&Rule| rule.obligation == Some(Obligation::Required);
        let rules = self.0.iter().filter(required);
        rules.map(|rule| rule.id.glob.glob()).collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Rule {
    fn speaks_of(&self, package: &str, target: &str, id: &str) -> bool {
        self.package.is_match(package) && self.target.is_match(target) && self.id.is_match(id)
    }
}

/// A glob, ready to match. `*` also matches `/`: ids have as many levels as their authors like.
#[derive(Debug, Clone)]
struct Pattern {
    glob: Glob,
    matcher: GlobMatcher,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.glob == other.glob
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Pattern, globset::Error> {
        // Ids are no paths: a backslash and a separator mean nothing special in them.
        let glob = GlobBuilder::new(text)
            .literal_separator(false)
            .backslash_escape(true)
            .build()?;
        let matcher = glob.compile_matcher();
        Ok(Pattern { glob, matcher })
    }

    fn is_match(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }
}

/// Reads one rule.
pub(super) fn read(
    table: &toml::Table,
    scope: Scope<'_>,
    origin: &Origin,
) -> Result<Rule, PlanError> {
    let reader = Reader { table, origin };
    let package = match scope {
        Scope::Workspace => reader.pattern("package")?,
        Scope::Package(name) => reader.glob("package", &globset::escape(name))?,
    };
    Ok(Rule {
        package,
        target: reader.pattern("target")?,
        id: reader.pattern("match")?,
        threshold: reader
            .parsed::<Share>("threshold")?
            .map(|share| Ratio::from_change(share.as_fraction())),
        time: reader.parsed::<Span>("time")?.map(Span::as_duration),
        obligation: match (reader.switch("skip")?, reader.switch("required")?) {
            (Some(true), Some(true)) => {
                return Err(reader.invalid("skip", "a required benchmark cannot be skipped"));
            }
            (Some(true), _) => Some(Obligation::Skipped),
            (_, Some(true)) => Some(Obligation::Required),
            (None, None) => None,
            _ => Some(Obligation::Optional),
        },
    })
}

struct Reader<'a> {
    table: &'a toml::Table,
    origin: &'a Origin,
}

impl Reader<'_> {
    fn invalid(&self, key: &str, problem: impl Into<String>) -> PlanError {
        let value = self.table.get(key);
        PlanError::InvalidValue {
            origin: format!("`{key}` of a benchmark in {}", self.origin),
            value: value.map(ToString::to_string).unwrap_or_default(),
            problem: problem.into(),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&str>, PlanError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let text = value.as_str();
        text.map(Some)
            .ok_or_else(|| self.invalid(key, "it must be a string"))
    }

    fn switch(&self, key: &str) -> Result<Option<bool>, PlanError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let on = value.as_bool();
        on.map(Some)
            .ok_or_else(|| self.invalid(key, "it must be `true` or `false`"))
    }

    fn parsed<T: std::str::FromStr<Err = String>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, PlanError> {
        let text = self.text(key)?;
        text.map(|text| {
            text.parse()
                .map_err(|problem: String| self.invalid(key, problem))
        })
        .transpose()
    }

    fn pattern(&self, key: &str) -> Result<Pattern, PlanError> {
        self.glob(key, self.text(key)?.unwrap_or("*"))
    }

    fn glob(&self, key: &str, text: &str) -> Result<Pattern, PlanError> {
        Pattern::new(text).map_err(|error| self.invalid(key, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, PlanError> {
        let table: toml::Table = text.parse().unwrap();
        let mut rules = Rules::default();
        for rule in table[KEY].as_array().unwrap() {
            let rule = read(rule.as_table().unwrap(), Scope::Workspace, &Origin::Default)?;
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
            time = "5s"
            [[benchmark]]
            match = "parse/large/*"
            threshold = "10%"
            "#,
        )
        .unwrap();
        let large = rules.of("a", "b", "parse/large/1024");
        assert_eq!(large.threshold, Some(Ratio::from_change(0.1)));
        assert_eq!(large.time, Some(Duration::from_secs(5)));
        let other = rules.of("a", "b", "sum");
        assert_eq!(other.threshold, None);
        assert_eq!(other.obligation, Obligation::Optional);
    }

    #[test]
    fn a_rule_can_be_taken_back() {
        let rules =
            rules("[[benchmark]]\nskip = true\n[[benchmark]]\nmatch = 'fast*'\nskip = false\n")
                .unwrap();
        assert_eq!(rules.of("a", "b", "slow").obligation, Obligation::Skipped);
        assert_eq!(rules.of("a", "b", "fast").obligation, Obligation::Optional);
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
