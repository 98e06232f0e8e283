//! Where a change stands in the benchmark's recorded history.

use serde::{Deserialize, Serialize};

use super::Report;
use crate::units::{BenchmarkKey, Ratio};

/// Where the change of a benchmark stands in what earlier runs recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryStanding {
    /// The benchmark.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// What the change is.
    pub change: StandingKind,
    /// How many changes of that kind there were since then, this one included.
    pub count: usize,
    /// The last release that was measured, or the oldest measured commit.
    pub since: SinceCommit,
    /// The level of the head side relative to that commit.
    pub ratio: Ratio,
    /// The lower end of its 95 % confidence interval.
    pub lower: Ratio,
    /// The upper end.
    pub upper: Ratio,
}

/// A commit of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinceCommit {
    /// The full id.
    pub commit: String,
    /// A tag that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StandingKind {
    /// The benchmark is slower.
    Slowdown,
    /// It is faster.
    Speedup,
}

impl std::fmt::Display for SinceCommit {
    /// Its tag, or the beginning of its id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = || self.commit.chars().take(9).collect();
        let name: String = self.tag.clone().unwrap_or_else(short);
        f.write_str(&super::visible(&name))
    }
}

/// `third slowdown since v1.4, together +7.10 % (+6.20 % … +8.01 %)`.
pub(super) fn words(standing: &HistoryStanding) -> String {
    let change = match standing.change {
        StandingKind::Slowdown => "slowdown",
        StandingKind::Speedup => "speedup",
    };
    format!(
        "{} {change} since {}, together {} ({} … {})",
        ordinal(standing.count),
        standing.since,
        standing.ratio,
        standing.lower,
        standing.upper
    )
}

/// That of one benchmark.
pub(super) fn of<'a>(report: &'a Report, key: &BenchmarkKey) -> Option<&'a HistoryStanding> {
    report.standings.iter().find(|one| one.key == *key)
}

fn ordinal(n: usize) -> String {
    const FIRST: [&str; 10] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ];
    if let Some(word) = n.checked_sub(1).and_then(|n| FIRST.get(n)) {
        return (*word).to_owned();
    }
    let ending = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_is_one_fragment() {
        let mut standing = HistoryStanding {
            key: BenchmarkKey::new("shop", "prices", "parse"),
            change: StandingKind::Slowdown,
            count: 3,
            since: SinceCommit {
                commit: "0123456789abcdef".to_owned(),
                tag: Some("v1.4".to_owned()),
            },
            ratio: Ratio::from_quotient(1.071),
            lower: Ratio::from_quotient(1.062),
            upper: Ratio::from_quotient(1.0801),
        };
        let expected = "third slowdown since v1.4, together +7.10 % (+6.20 % … +8.01 %)";
        assert_eq!(words(&standing), expected);
        standing.since.tag = None;
        standing.count = 22;
        let untagged = words(&standing);
        assert!(
            untagged.starts_with("22nd slowdown since 012345678, "),
            "{untagged}"
        );
        assert_eq!(ordinal(11), "11th");
        assert_eq!(ordinal(101), "101st");
    }
}
