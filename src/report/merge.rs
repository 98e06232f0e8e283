//! Several reports of one comparison, as one.
//!
//! Base and head of a benchmark are always measured on one machine, so shards from unlike machines
//! may be merged: their ratios mean the same. What changes the compiled code or the meaning of a
//! verdict must agree.

use std::collections::BTreeMap;

use super::{
    Methodology, Partial, Range, ReachSummary, Report, ReportError, StageTiming, parts, words,
};
use crate::analyse::Comparison;
use crate::judge::{
    self, Basis, Decision, Evidence, PartBasis, Reason, in_vain_everywhere, most_severe_first,
};
use crate::units::{BenchmarkKey, command_line};

/// Merges the reports of one comparison, for example of its shards.
///
/// The confidence of the whole is reduced by the permitted error of each shard (Bonferroni's
/// inequality), unless each shard was already corrected for all benchmarks.
///
/// # Errors
/// [`ReportError::Mismatch`] names everything that does not belong together: other commits, other
/// tools, other thresholds, a part of a partition that is missing or there twice, or one benchmark
/// measured twice.
pub fn merge(reports: Vec<Report>) -> Result<Report, ReportError> {
    let mut reports = reports.into_iter();
    let mut merged = reports.next().ok_or(ReportError::Nothing)?;
    let rest: Vec<Report> = reports.collect();
    if rest.is_empty() {
        return Ok(merged);
    }
    let mut differences: Vec<String> = Vec::new();
    for other in &rest {
        differences.extend(differing(&merged, other));
    }
    differences.extend(parts::problems(std::iter::once(&merged).chain(&rest)));
    differences.extend(measured_twice(&merged, &rest));
    differences.dedup();
    if !differences.is_empty() {
        return Err(ReportError::Mismatch { differences });
    }
    let confidence = confidence(&merged, &rest);
    let parts = rest.len() + 1;
    let whole = WholeRun::of(std::iter::once(&merged).chain(&rest));
    for other in rest {
        absorb(&mut merged, other);
    }
    whole.judge_again(&mut merged);
    if confidence < merged.methodology.confidence {
        let each = words::confidence(merged.methodology.confidence);
        merged.methodology.correction = format!(
            "{parts} parts, each corrected on its own for {each}: {}",
            merged.methodology.correction
        );
    }
    merged.methodology.confidence = confidence;
    merged.methodology.partition = None;
    merged.methodology.family_size = timed(&merged).max(merged.methodology.family_size);
    Ok(merged)
}

/// What makes two reports different things.
fn differing(a: &Report, b: &Report) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, a: &dyn std::fmt::Display, b: &dyn std::fmt::Display| {
        let (a, b) = (a.to_string(), b.to_string());
        if a != b {
            found.push(format!("{what} is `{a}` in one and `{b}` in another"));
        }
    };
    compare(
        "the program's version",
        &a.perfcheck_version,
        &b.perfcheck_version,
    );
    compare(
        "the base commit",
        &a.range.base.commit,
        &b.range.base.commit,
    );
    compare(
        "the head commit",
        &a.range.head.commit,
        &b.range.head.commit,
    );
    let (e, f) = (&a.environment, &b.environment);
    compare("the host", &e.host, &f.host);
    compare("the profile", &e.profile, &f.profile);
    compare("rustc of the base", &e.rustc.base, &f.rustc.base);
    compare("rustc of the head", &e.rustc.head, &f.rustc.head);
    compare("cargo of the base", &e.cargo.base, &f.cargo.base);
    compare("cargo of the head", &e.cargo.head, &f.cargo.head);
    let (m, n) = (&a.methodology, &b.methodology);
    compare("the threshold", &m.threshold, &n.threshold);
    compare("the confidence level", &m.confidence, &n.confidence);
    if has_working_tree(&a.range) || has_working_tree(&b.range) {
        found.push("a working tree may have changed between them".to_owned());
    }
    found
}

fn has_working_tree(range: &Range) -> bool {
    range.base.working_tree || range.head.working_tree
}

/// Benchmarks that have a result in more than one report.
fn measured_twice(first: &Report, rest: &[Report]) -> Vec<String> {
    let mut seen: BTreeMap<&BenchmarkKey, &Comparison> = BTreeMap::new();
    let mut twice = Vec::new();
    for report in std::iter::once(first).chain(rest) {
        for comparison in &report.benchmarks {
            match seen.insert(&comparison.key, comparison) {
                Some(before) if before != comparison => twice.push(&comparison.key),
                _ => {}
            }
        }
    }
    match twice[..] {
        [] => Vec::new(),
        [one] => vec![format!("`{one}` was measured in two of them")],
        [one, ..] => vec![format!(
            "`{one}` and {} more were measured in two of them",
            twice.len() - 1
        )],
    }
}

/// How many benchmarks were compared: a baseline of only one side cannot be a false positive.
fn timed(report: &Report) -> usize {
    let changes = report.benchmarks.iter();
    changes.filter_map(Comparison::estimate).count()
}

fn confidence(first: &Report, rest: &[Report]) -> f64 {
    let all = || std::iter::once(first).chain(rest);
    let total: usize = all().map(timed).sum();
    let covered = all().all(|report| report.methodology.family_size >= total);
    if covered {
        let levels = all().map(|report| report.methodology.confidence);
        return levels.fold(1.0, f64::min);
    }
    let error: f64 = all()
        .map(|report| 1.0 - report.methodology.confidence)
        .sum();
    (1.0 - error).max(0.0)
}

/// Each shard looks at its own targets.
fn absorb_reach(merged: &mut Option<ReachSummary>, other: Option<ReachSummary>) {
    let Some(other) = other else { return };
    let Some(merged) = merged else {
        *merged = Some(other);
        return;
    };
    merged.benchmarks += other.benchmarks;
    merged.reached += other.reached;
    merged.unknown += other.unknown;
    merged.changed_functions = merged.changed_functions.max(other.changed_functions);
    // A function that one shard has executed is covered; a shard says nothing about functions that
    // it does not have.
    union(&mut merged.uncovered, other.uncovered);
    union(&mut merged.skeletons, other.skeletons);
    union(&mut merged.notes, other.notes);
}

/// What one shard lacks, the whole lacks. The time of a second run is known for single shards only.
fn absorb_partial(merged: &mut Option<Partial>, other: Option<Partial>) {
    match (merged, other) {
        (Some(merged), Some(other)) => {
            merged.shortfalls.extend(other.shortfalls);
            merged.next = None;
        }
        (merged @ None, Some(other)) => {
            *merged = Some(Partial {
                next: None,
                ..other
            })
        }
        (Some(merged), None) => merged.next = None,
        (None, None) => {}
    }
}

fn absorb(merged: &mut Report, other: Report) {
    warn_of_machines(merged, &other);
    absorb_command(merged, &other.methodology);
    union(&mut merged.confounders, other.confounders);
    union(&mut merged.warnings, other.warnings);
    union(&mut merged.skipped, other.skipped);
    union(&mut merged.budgets, other.budgets);
    most_severe_first(&mut merged.budgets);
    union(&mut merged.load_tests, other.load_tests);
    absorb_reach(&mut merged.reach, other.reach);
    absorb_partial(&mut merged.partial, other.partial);
    for comparison in other.benchmarks {
        // Both shards list benchmarks that were not measured: identical, added and removed ones.
        if !merged.benchmarks.iter().any(|c| c.key == comparison.key) {
            merged.benchmarks.push(comparison);
        }
    }
    for attribution in other.attributions {
        if !merged.attributions.iter().any(|a| a.key == attribution.key) {
            merged.attributions.push(attribution);
        }
    }
    union(&mut merged.standings, other.standings);
    union(&mut merged.places, other.places);
    let environment = &mut merged.environment;
    environment.load_at_start = environment
        .load_at_start
        .max(other.environment.load_at_start);
    environment.steal = match (environment.steal, other.environment.steal) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, None) | (None, one) => one,
    };
    for (package, version) in other.environment.criterion.base {
        environment.criterion.base.entry(package).or_insert(version);
    }
    for (package, version) in other.environment.criterion.head {
        environment.criterion.head.entry(package).or_insert(version);
    }
    let layouts = &mut merged.methodology.layouts;
    *layouts = (*layouts).max(other.methodology.layouts);
    add_timings(&mut merged.methodology.timings, other.methodology.timings);
}

fn union<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

fn add_timings(all: &mut Vec<StageTiming>, more: Vec<StageTiming>) {
    for timing in more {
        match all.iter_mut().find(|t| t.stage == timing.stage) {
            Some(known) => known.seconds += timing.seconds,
            None => all.push(timing),
        }
    }
}

fn warn_of_machines(merged: &mut Report, other: &Report) {
    let (a, b) = (&merged.environment, &other.environment);
    if (&a.machine, &a.kernel) == (&b.machine, &b.kernel) {
        return;
    }
    let machine = |e: &super::RunEnvironment| {
        let machine = &e.machine;
        format!(
            "{} ({} processors, kernel {})",
            machine.cpu, machine.cores, e.kernel
        )
    };
    let warning = format!(
        "merged from unlike machines: {} and {}; base and head of each benchmark ran on one of them",
        machine(a),
        machine(b)
    );
    union(&mut merged.warnings, vec![warning]);
}

/// If their commands differ only in the shard, one command repeats them all.
fn absorb_command(merged: &mut Report, other: &Methodology) {
    let whole = without_partition(&merged.methodology.command_line);
    let others = without_partition(&other.command_line);
    if whole == others && merged.methodology.seed == other.seed {
        merged.methodology.command_line = whole;
        return;
    }
    let command = command_line(other.command_line.iter().map(String::as_str));
    let warning = format!(
        "a part was measured by `cargo perfcheck {command}` with the seed {}",
        other.seed
    );
    union(&mut merged.warnings, vec![warning]);
}

fn without_partition(words: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--partition" => {
                words.next();
            }
            word if word.starts_with("--partition=") => {}
            word => kept.push(word.to_owned()),
        }
    }
    kept
}

/// What no part knows by itself.
struct WholeRun {
    basis: Basis,
    uncovered: Vec<judge::UncoveredFunction>,
    budgets_in_vain: Vec<String>,
    /// Reasons of parts that were written before reasons were data.
    recorded: Vec<Reason>,
}

impl WholeRun {
    fn of<'a>(parts: impl Iterator<Item = &'a Report> + Clone) -> WholeRun {
        let bases: Vec<&Basis> = parts.clone().filter_map(|p| p.basis.as_ref()).collect();
        let shards: Vec<&PartBasis> = bases.iter().filter_map(|b| b.part.as_ref()).collect();
        let mut required: Vec<BenchmarkKey> = Vec::new();
        let mut claims = Vec::new();
        for basis in &bases {
            union(&mut required, basis.required.clone());
            union(&mut claims, basis.claims.clone());
        }
        let all_told = shards.len() == parts.clone().count();
        let shards = if all_told { shards } else { Vec::new() };
        let reach_known = parts.clone().all(|part| {
            let reach = part.reach.as_ref();
            reach.is_some_and(|reach| reach.notes.is_empty())
        });
        let lists = |list: fn(&PartBasis) -> &Vec<String>| {
            in_vain_everywhere(shards.iter().copied().map(list))
        };
        let covered = shards.iter().flat_map(|shard| &shard.covered);
        let left = shards.iter().flat_map(|shard| &shard.uncovered);
        WholeRun {
            basis: Basis {
                allocations: bases.iter().find_map(|basis| basis.allocations),
                required,
                claims,
                required_in_vain: lists(|shard| &shard.required_in_vain),
                part: None,
            },
            uncovered: match reach_known {
                true => judge::uncovered(covered, left),
                false => Vec::new(),
            },
            budgets_in_vain: lists(|shard| &shard.budgets_in_vain),
            recorded: recorded(parts),
        }
    }

    /// Decides on all benchmarks together, as one run would have.
    fn judge_again(self, merged: &mut Report) {
        if let Some(reach) = &mut merged.reach
            && !self.uncovered.is_empty()
        {
            reach.uncovered = self.uncovered;
        }
        let budgets = self
            .budgets_in_vain
            .iter()
            .map(|pattern| budget_in_vain(pattern));
        union(&mut merged.warnings, budgets.collect());
        merged.claims = judge::check_claims(&merged.benchmarks, &self.basis);
        let decision = judge::judge(Evidence {
            comparisons: &merged.benchmarks,
            targets: &merged.skipped,
            budgets: &merged.budgets,
            claims: &merged.claims,
            shortfalls: merged.partial.as_ref().map_or(&[], |p| &p.shortfalls),
            uncovered: merged.reach.as_ref().map_or(&[], |reach| &reach.uncovered),
            basis: &self.basis,
        });
        merged.decision = Decision::of([decision.reasons, self.recorded].concat());
        merged.basis = Some(self.basis);
    }
}

/// Judging again cannot recover what such a part knew about its rules and allocations, so its words stay.
fn recorded<'a>(parts: impl Iterator<Item = &'a Report>) -> Vec<Reason> {
    let mut all = Vec::new();
    for part in parts.filter(|part| part.basis.is_none()) {
        let reasons = part.decision.reasons.iter();
        let recorded = reasons.filter(|reason| matches!(reason, Reason::Recorded { .. }));
        union(&mut all, recorded.cloned().collect());
    }
    all
}

/// A warning that a budget matches no benchmark, as a lower-case fragment.
pub(crate) fn budget_in_vain(pattern: &str) -> String {
    format!("a budget matches no benchmark: {pattern}")
}
