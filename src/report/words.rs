//! The words, order and numbers that every renderer for people shares.

use std::cmp::Ordering;

use super::escape::visible;
use super::{Commit, Locking, Report, RunEnvironment, metrics, unseen};
use crate::analyse::{Comparison, Verdict};
use crate::discover::SkippedTarget;
use crate::judge::Vote;
use crate::plan::Partition;
pub(super) use crate::units::plural;
use crate::units::{BenchmarkKey, Bytes, Charset, MetricGroup, Ratio, Side};

pub(super) use super::numbers::*;

/// The verdicts in the order in which a reader wants them.
pub(super) const ORDER: [Verdict; 10] = [
    Verdict::Slower,
    Verdict::Faster,
    Verdict::Failed,
    Verdict::Removed,
    Verdict::Inconclusive,
    Verdict::Added,
    Verdict::Unchanged,
    Verdict::Untimed,
    Verdict::Unreached,
    Verdict::Identical,
];

/// The verdict as one column.
pub(super) fn symbol(verdict: Verdict, charset: Charset) -> &'static str {
    let (unicode, ascii) = match verdict {
        Verdict::Slower => ("▲", ">"),
        Verdict::Faster => ("▼", "<"),
        Verdict::Unchanged => ("=", "="),
        Verdict::Inconclusive => ("?", "?"),
        Verdict::Identical => ("≡", "="),
        Verdict::Unreached => ("○", "o"),
        Verdict::Untimed => ("·", "."),
        Verdict::Added => ("+", "+"),
        Verdict::Removed => ("−", "-"),
        Verdict::Failed => ("✗", "x"),
    };
    match charset {
        Charset::Unicode => unicode,
        Charset::Ascii => ascii,
    }
}

/// The vote as one word.
pub(super) fn vote_word(vote: Vote) -> &'static str {
    match vote {
        Vote::Approve => "approve",
        Vote::Modify => "modify",
        Vote::Reject => "reject",
    }
}

/// Whether any metric other than time differs between the sides.
pub(super) fn has_moved_beside(comparison: &Comparison) -> bool {
    let mut groups = MetricGroup::BESIDE_TIME.into_iter();
    groups.any(|group| metrics::moved(comparison, group).is_some())
}

/// Whether any metric other than time got worse on the head side.
pub(super) fn has_grown_beside(comparison: &Comparison) -> bool {
    let mut groups = MetricGroup::BESIDE_TIME.into_iter();
    groups.any(|group| metrics::is_worse(comparison, group))
}

/// One benchmark in one sentence without its name.
pub(super) fn summary(comparison: &Comparison) -> String {
    if let Some(failure) = &comparison.failure {
        return format!("the {} side {}", failure.side, visible(&failure.reason));
    }
    let verdict = comparison.verdict.name();
    let time = match comparison.estimate() {
        Some(change) => format!(
            "{verdict}: time {} ({} to {}, {} confidence, {})",
            change.ratio,
            change.lower,
            change.upper,
            confidence(change.confidence),
            plural(change.rounds, "round", "rounds")
        ),
        None => match comparison.verdict {
            Verdict::Identical => "same compiled code, not measured".to_owned(),
            Verdict::Unreached => "executes nothing that changed, not measured".to_owned(),
            Verdict::Untimed => "not timed".to_owned(),
            Verdict::Added => "exists on the head side only".to_owned(),
            Verdict::Removed => "exists on the base side only".to_owned(),
            _ => verdict.to_owned(),
        },
    };
    let mut told = time;
    if let Some(unseen) = unseen::of(comparison) {
        told.push_str(&format!("; {unseen}"));
    }
    for group in MetricGroup::BESIDE_TIME {
        told.extend(beside(comparison, group));
    }
    told
}

/// The change of a group other than time, as a suffix to the sentence about the time.
fn beside(comparison: &Comparison, group: MetricGroup) -> Option<String> {
    metrics::moved(comparison, group)?;
    let of = |side| metrics::in_short(comparison, group, side);
    let ways = metrics::ways(comparison, group);
    let ways = match ways.len() {
        0 | 1 => String::new(),
        _ => format!(": {}", ways.join(", ")),
    };
    Some(format!(
        "; {} {} → {}{} {}{ways}",
        group.name(),
        of(Side::Base)?,
        of(Side::Head)?,
        metrics::beside(comparison, group),
        group.each()
    ))
}

/// Whether a reader should see this benchmark without unfolding anything.
pub(super) fn is_notable(comparison: &Comparison) -> bool {
    !is_quiet(comparison.verdict) || has_moved_beside(comparison)
}

/// Every benchmark, changed ones first, the largest change first; ties by name.
pub(super) fn ordered(report: &Report) -> Vec<&Comparison> {
    let mut all: Vec<&Comparison> = report.benchmarks.iter().collect();
    all.sort_by(|a, b| {
        place(a)
            .cmp(&place(b))
            .then_with(|| {
                magnitude(b)
                    .partial_cmp(&magnitude(a))
                    .unwrap_or(Ordering::Equal)
            })
            .then_with(|| a.key.cmp(&b.key))
    });
    all
}

/// Whether there is nothing to say about the time.
fn is_quiet(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Unchanged | Verdict::Identical | Verdict::Unreached | Verdict::Untimed
    )
}

fn place(comparison: &Comparison) -> usize {
    let position = ORDER.iter().position(|v| *v == comparison.verdict);
    let quiet = is_quiet(comparison.verdict);
    match position {
        // Benchmarks whose time is unchanged but whose other metrics are not: after those whose time changed.
        Some(_) if quiet && has_moved_beside(comparison) => 2,
        Some(place) if place >= 2 => place + 1,
        Some(place) => place,
        None => ORDER.len(),
    }
}

fn magnitude(comparison: &Comparison) -> f64 {
    let ratio = change_ratio(comparison).map_or(0.0, |ratio| ratio.ln().abs());
    if ratio.is_finite() { ratio } else { 0.0 }
}

/// The estimated change, where both sides were timed.
pub(super) fn change_ratio(comparison: &Comparison) -> Option<Ratio> {
    Some(comparison.estimate()?.ratio)
}

/// The heading of the intervals: with their level if they share one.
pub(super) fn interval_heading(report: &Report) -> String {
    let changes = report.benchmarks.iter().filter_map(Comparison::estimate);
    let mut levels: Vec<String> = changes.map(|c| confidence(c.confidence)).collect();
    levels.dedup();
    match &levels[..] {
        [] => String::new(),
        [level] => format!("{level} interval"),
        _ => "interval".to_owned(),
    }
}

/// How many benchmarks have this verdict.
pub(super) fn count(report: &Report, verdict: Verdict) -> usize {
    let has = |c: &&Comparison| c.verdict == verdict;
    report.benchmarks.iter().filter(has).count()
}

/// `2 slower, 1 faster, 11 unchanged`: the number of each verdict, in reading order.
pub(super) fn tally(report: &Report) -> String {
    let all: Vec<&Comparison> = report.benchmarks.iter().collect();
    tally_of(&all)
}

/// The same of some benchmarks.
pub(super) fn tally_of(some: &[&Comparison]) -> String {
    let count = |verdict: Verdict| some.iter().filter(|c| c.verdict == verdict).count();
    let parts: Vec<String> = ORDER
        .iter()
        .map(|verdict| (count(*verdict), verdict.name()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    if parts.is_empty() {
        "no benchmarks".to_owned()
    } else {
        parts.join(", ")
    }
}

/// `1 benchmark`, `14 benchmarks`.
pub(super) fn benchmarks(n: usize) -> String {
    plural(n, "benchmark", "benchmarks")
}

/// `1 allocation`, `2.50 allocations`; with its sign if `number` writes one.
pub(super) fn allocations(n: f64, number: fn(f64) -> String) -> String {
    let number = number(n);
    let one = number.trim_start_matches(['+', '-']) == "1";
    format!("{number} allocation{}", if one { "" } else { "s" })
}

/// Names of benchmarks as short as they stay unique within one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// One target: the id is enough.
    Id,
    /// One package: `target id`.
    Target,
    /// `package::target id`.
    Package,
}

impl Naming {
    /// The shortest naming that is unique for every benchmark of `report`.
    pub(super) fn of(report: &Report) -> Naming {
        let Some(first) = report.benchmarks.first().map(|c| &c.key) else {
            return Naming::Id;
        };
        let mut keys = report.benchmarks.iter().map(|c| &c.key);
        if !keys.clone().all(|key| key.package == first.package) {
            Naming::Package
        } else if !keys.all(|key| key.target == first.target) {
            Naming::Target
        } else {
            Naming::Id
        }
    }

    /// The name of one benchmark, harmless to print.
    pub(super) fn name(self, key: &BenchmarkKey) -> String {
        let id = if key.id.is_empty() {
            "(no id)"
        } else {
            &key.id
        };
        visible(&match self {
            Naming::Id => id.to_owned(),
            Naming::Target => format!("{} {id}", key.target),
            Naming::Package => format!("{}::{} {id}", key.package, key.target),
        })
    }
}

/// `package::target (head side)`.
pub(super) fn target(skipped: &SkippedTarget) -> String {
    let name = visible(&format!("{}::{}", skipped.package, skipped.target));
    match skipped.side {
        Some(side) => format!("{name} ({side} side)"),
        None => name,
    }
}

/// The machine's memory, where it is known.
pub(super) fn memory(environment: &RunEnvironment) -> String {
    match environment.memory_bytes {
        0 => "unknown".to_owned(),
        known => Bytes::from_bytes(known).to_string(),
    }
}

/// What was typed, if that is not the commit's id.
pub(super) fn label(commit: &Commit) -> Option<String> {
    (!commit.commit.starts_with(&commit.label)).then(|| visible(&commit.label))
}

/// Where the versions of dependencies come from, if that is worth a line.
pub(super) fn locking(environment: &RunEnvironment) -> Option<&'static str> {
    match environment.locking {
        Locking::Tracked => None,
        Locking::Shared => {
            Some("not tracked; one for both sides, so that what they share has one version")
        }
    }
}

/// `a1b2c3d`, or `working tree on a1b2c3d`.
pub(super) fn revision(commit: &Commit) -> String {
    let id = visible(&commit.short_id);
    if commit.working_tree {
        format!("working tree on {id}")
    } else {
        id
    }
}

/// In how many layouts of their code benchmarks were timed.
pub(super) fn layouts(drawn: usize) -> String {
    format!(
        "up to {}, one per round: both sides are linked again, with the functions that they share in one random order",
        plural(drawn, "layout per target", "layouts per target")
    )
}

/// A sentence that the report covers some of the benchmarks only.
pub(super) fn part(part: Partition) -> String {
    format!(
        "only part {} of {} of the benchmarks; `cargo perfcheck report` merges the parts",
        part.part(),
        part.of()
    )
}
