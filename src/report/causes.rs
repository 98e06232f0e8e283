//! Where a change comes from, in the words that all renderers share.

use super::Report;
use super::escape::{clipped, shortened, visible};
use super::words;
use crate::analyse::Comparison;
use crate::attribute::{
    Advice, Attribution, Contributor, DiffLine, Explanation, Hunk, LineKind, Location,
    NanosEstimate, Origin, SampledThreads,
};
use crate::units::{Nanos, Side};

/// Names of generic functions can be pages long; the JSON report has them whole.
const LONGEST_NAME: usize = 160;

/// From how many times as fast on a gain is no longer named.
const LARGEST_GAIN: f64 = 20.0;

/// The benchmarks that were profiled, in the order of the report, with what was found.
pub(super) fn of(report: &Report) -> Vec<(&Comparison, &Attribution)> {
    let all = words::ordered(report).into_iter();
    all.filter_map(|comparison| {
        let of_it = |attribution: &&Attribution| attribution.key == comparison.key;
        Some((comparison, report.attributions.iter().find(of_it)?))
    })
    .collect()
}

/// A benchmark with the causes of its change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explained<'a> {
    pub(super) comparison: &'a Comparison,
    pub(super) attribution: &'a Attribution,
    pub(super) explanation: &'a Explanation,
}

/// One cause, and the benchmarks that it affects.
pub(super) struct Cause<'a> {
    /// The benchmark with which it is shown to the reader.
    pub(super) first: Explained<'a>,
    /// The others, whose change comes from the same function for the same reason.
    pub(super) others: Vec<Explained<'a>>,
}

/// The explained benchmarks, grouped so that each cause appears once, in the order of the report.
pub(super) fn grouped(report: &Report) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause> = Vec::new();
    for (comparison, attribution) in of(report) {
        let Some(explanation) = &attribution.explanation else {
            continue;
        };
        let one = Explained {
            comparison,
            attribution,
            explanation,
        };
        match causes.iter_mut().find(|cause| is_same(&cause.first, &one)) {
            Some(cause) => cause.others.push(one),
            None => causes.push(Cause {
                first: one,
                others: Vec::new(),
            }),
        }
    }
    causes
}

/// Whether the function that contributes most, and the piece of source behind it, are the same.
fn is_same(a: &Explained<'_>, b: &Explained<'_>) -> bool {
    let (Some(a), Some(b)) = (
        a.explanation.contributors.first(),
        b.explanation.contributors.first(),
    ) else {
        return false;
    };
    let same_source = match (a.hunks.first(), b.hunks.first()) {
        (Some(a), Some(b)) => a.is_same_place(b),
        (None, None) => true,
        _ => false,
    };
    a.function == b.function && same_source
}

/// `the same for a (+12.31 ns) and b (-1.204 ms)`, if a cause affects several benchmarks.
pub(super) fn others(cause: &Cause<'_>, naming: words::Naming) -> Option<String> {
    const NAMED: usize = 3;
    let name = |one: &Explained<'_>| {
        let name = shortened(&naming.name(&one.comparison.key), LONGEST_NAME / 2);
        match &one.attribution.change {
            Some(change) => format!("{name} ({})", signed(change.ns)),
            None => name,
        }
    };
    let named: Vec<String> = cause.others.iter().take(NAMED).map(name).collect();
    let more = cause.others.len().saturating_sub(NAMED);
    let more = match more {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!named.is_empty()).then(|| format!("the same for {}{more}", named.join(", ")))
}

/// `+12.31 ns`, `-1.204 ms`.
pub(super) fn signed(ns: f64) -> String {
    let sign = if ns < 0.0 { "-" } else { "+" };
    format!("{sign}{}", Nanos::from_nanos(ns.abs()))
}

/// `+12.31 ns ± 0.40 ns`.
pub(super) fn estimate(estimate: &NanosEstimate) -> String {
    let half = (estimate.upper_ns - estimate.lower_ns) / 2.0;
    format!("{} ± {}", signed(estimate.ns), Nanos::from_nanos(half))
}

/// The name of a contributor, as one line.
pub(super) fn name(contributor: &Contributor) -> String {
    shortened(&visible(&contributor.function), LONGEST_NAME)
}

/// Remarks about a contributor: its former name, where it comes from, and what it calls that takes
/// the time.
pub(super) fn remarks(contributor: &Contributor) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(formerly) = &contributor.formerly {
        remarks.push(format!(
            "formerly {}",
            shortened(&visible(formerly), LONGEST_NAME)
        ));
    }
    if let Origin::Dependency { .. } = contributor.origin {
        remarks.push(format!("in {}", visible(&contributor.origin.to_string())));
    }
    if let Some(through) = &contributor.through {
        remarks.push(format!(
            "through {}",
            shortened(&visible(through), LONGEST_NAME)
        ));
    }
    if contributor.same_code {
        remarks.push(
            "its machine code and that of its callers is the same on both sides: it is called more or less \
             often, gets other data, or is at other addresses"
                .to_owned(),
        );
    }
    remarks.extend(missing(contributor).map(str::to_owned));
    remarks
}

/// That a side knows nothing of a contributor: what was counted is certain, a sample may be missing by chance.
fn missing(contributor: &Contributor) -> Option<&'static str> {
    let share = &contributor.share;
    match contributor.instructions {
        Some(own) if own.base == 0.0 => Some("not executed on the base side"),
        Some(own) if own.head == 0.0 => Some("not executed on the head side"),
        Some(_) => None,
        None if share.base == 0.0 => Some("no sample on the base side"),
        None if share.head == 0.0 => Some("no sample on the head side"),
        None => None,
    }
}

/// Where it is, on the head side if it exists there.
pub(super) fn place(contributor: &Contributor) -> Option<&Location> {
    let location = &contributor.location;
    location.head.as_ref().or(location.base.as_ref())
}

/// The heading of a hunk: where it is, how it relates to the function, and its commit.
pub(super) fn hunk_heading(hunk: &Hunk) -> String {
    let Hunk {
        path,
        line,
        relation,
        ..
    } = hunk;
    let commit = hunk.commit.as_ref().map_or(String::new(), |commit| {
        format!("; last touched by {} {}", commit.short_id, commit.subject)
    });
    let text = format!("{path}:{line}  {relation}{commit}");
    shortened(&visible(&text), LONGEST_NAME)
}

/// Where a hunk is and how it relates to the function, without its history.
pub(super) fn hunk_place(hunk: &Hunk) -> String {
    let commit = hunk.commit.as_ref();
    let commit = commit.map_or(String::new(), |commit| format!(" ({})", commit.short_id));
    let Hunk {
        path,
        line,
        relation,
        ..
    } = hunk;
    visible(&format!("{path}:{line}  {relation}{commit}"))
}

/// The most telling lines of a hunk, in their order, at most `most`: changed lines and their neighbours. If there
/// are too many, changed lines come before neighbours, code before comments, with both removed and added lines.
/// `None` stands for lines that are left out in between.
pub(super) fn telling(lines: &[DiffLine], most: usize) -> Vec<Option<&DiffLine>> {
    let differs = |line: &DiffLine| line.kind != LineKind::Same;
    let says_little = |line: &DiffLine| {
        let text = line.text.trim();
        text.is_empty() || text.starts_with("//")
    };
    let beside_a_change = |at: usize| {
        let around = &lines[at.saturating_sub(1)..(at + 2).min(lines.len())];
        around.iter().any(differs)
    };
    // How many lines of each kind came before, so that removed and added lines each get half of the room.
    let (mut removed, mut added) = (0, 0);
    let mut ranked: Vec<(usize, usize, usize)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let rank = match (differs(line), says_little(line)) {
            (true, false) => 0,
            (true, true) => 1,
            (false, false) if beside_a_change(at) => 2,
            (false, _) => continue,
        };
        let before = match line.kind {
            LineKind::Removed => &mut removed,
            LineKind::Added | LineKind::Same => &mut added,
        };
        ranked.push((rank, *before, at));
        *before += 1;
    }
    ranked.sort_unstable();
    let mut places: Vec<usize> = ranked.iter().take(most).map(|(_, _, at)| *at).collect();
    places.sort_unstable();
    let mut telling = Vec::new();
    for (nth, at) in places.iter().enumerate() {
        if nth > 0 && places[nth - 1] + 1 < *at {
            telling.push(None);
        }
        telling.push(Some(&lines[*at]));
    }
    telling
}

/// A line of a hunk as in a unified diff, no wider than `width`.
pub(super) fn plain_diff_line(line: &DiffLine, width: usize) -> String {
    let text = visible(&line.text.replace('\t', "    "));
    clipped(&format!("{}{text}", line.kind.mark()), width)
}

/// A line of a hunk with its numbers, no wider than `width`.
pub(super) fn diff_line(line: &DiffLine, width: usize) -> String {
    let number = |number: Option<u32>| number.map_or(String::new(), |number| number.to_string());
    let text = visible(&line.text.replace('\t', "    "));
    let whole = format!(
        "{:>5} {:>5} {} {text}",
        number(line.base),
        number(line.head),
        line.kind.mark()
    );
    clipped(&whole, width)
}

/// What changed besides the code and could be the reason.
pub(super) fn beside(text: &str) -> String {
    format!("may also matter: {}", visible(text))
}

/// What the reader has already seen, so that nothing is shown twice: one change of the source often
/// affects several benchmarks.
#[derive(Default)]
pub(super) struct ShownCauses<'a> {
    hunks: Vec<&'a Hunk>,
    beside: Vec<&'a str>,
}

impl<'a> ShownCauses<'a> {
    /// Whether this piece of source is new to the reader; it counts as seen from now on.
    pub(super) fn is_new(&mut self, hunk: &'a Hunk) -> bool {
        let known = self.hunks.iter().any(|known| known.is_same_place(hunk));
        if !known {
            self.hunks.push(hunk);
        }
        !known
    }

    /// Other possible reasons of an explanation that are new to the reader.
    pub(super) fn new_beside(&mut self, explanation: &'a Explanation) -> Vec<String> {
        let all = explanation.beside.iter().map(String::as_str);
        let new: Vec<&str> = all.filter(|one| !self.beside.contains(one)).collect();
        self.beside.extend(&new);
        new.into_iter().map(beside).collect()
    }
}

/// `… 3 more lines`, if some changed lines are not shown; context lines do not count.
pub(super) fn more_lines(hunk: &Hunk, shown: &[Option<&DiffLine>]) -> Option<String> {
    let differ = |line: &&DiffLine| line.kind != LineKind::Same;
    let all = hunk.lines.iter().filter(differ).count();
    let left_out = all - shown.iter().flatten().filter(|line| differ(line)).count() + hunk.left_out;
    (left_out > 0).then(|| format!("… {}", words::plural(left_out, "more line", "more lines")))
}

/// The function that contributes most to a change, unless its code is the same on both sides, or chance may have put it first.
pub(super) fn culprit<'a>(report: &'a Report, comparison: &Comparison) -> Option<&'a Contributor> {
    let mut all = report.attributions.iter();
    let found = all.find(|a| a.key == comparison.key)?;
    let explanation = found.explanation.as_ref()?;
    let first = explanation.contributors.first()?;
    (!first.same_code && explanation.names_a_cause()).then_some(first)
}

/// That function in words, and where it is.
pub(super) fn mainly(report: &Report, comparison: &Comparison) -> Option<String> {
    let first = culprit(report, comparison)?;
    let place = place(first).map(|at| format!(" at {}", visible(&at.to_string())));
    Some(format!("in {}{}", name(first), place.unwrap_or_default()))
}

/// A red flag in one sentence: what it is, where, how much removing it could gain, and what helps.
pub(super) fn advice(advice: &Advice) -> String {
    let at = advice.location.as_ref();
    let at = at.map_or(String::new(), |at| {
        format!(" at {}", visible(&at.to_string()))
    });
    // An upper bound of hundreds says nothing but that there is nothing else.
    let without = match advice.at_most < LARGEST_GAIN {
        true => format!("without it at most {:.2} times as fast", advice.at_most),
        false => "the benchmark does little else".to_owned(),
    };
    format!(
        "{} takes {:.0} % of the time, called from {}{at}: {without}; {}",
        advice.what,
        advice.share * 100.0,
        shortened(&visible(&advice.function), LONGEST_NAME),
        advice.advice
    )
}

/// How it was sampled: `2,981 and 3,017 samples`.
pub(super) fn sampled(attribution: &Attribution) -> String {
    let mut parts = Vec::new();
    let mut all_threads = false;
    for side in Side::BOTH {
        if let Some(sampling) = attribution.sampling.get(side) {
            parts.push(format!("{} {side}", sampling.samples));
            all_threads |= sampling.threads == SampledThreads::All;
        }
    }
    let hertz = [&attribution.sampling.head, &attribution.sampling.base];
    let hertz = hertz.into_iter().flatten().next().map_or(0, |s| s.hertz);
    let threads = match all_threads {
        true => ", all threads, no more often than the kernel's tick",
        false => "",
    };
    format!("samples: {} (at {hertz} Hz{threads})", parts.join(", "))
}
