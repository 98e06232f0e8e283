//! What a backfill would do, and what it did, in words.

use std::time::Duration;

use super::backfill::{Backfill, Neighbours};
use super::{HistoryStore, RunRecord, short};
use crate::analyse::Verdict;
use crate::process::Interrupted;
use crate::report::visible;
use crate::units::plural;

/// This many pairs are listed.
const LISTED: usize = 50;

/// What else is known before a backfill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackfillOutlook {
    /// How long runs usually take on a machine like this one.
    pub(crate) usual: Option<Duration>,
    /// How long one call may take.
    pub(crate) limit: Option<Duration>,
    /// The most that is timed of each benchmark and side.
    pub(crate) per_benchmark: Duration,
}

/// What a reader should know where this clone lacks commits of the range.
pub(crate) const CUT: &str =
    "this clone is shallow and lacks older commits: `git fetch --unshallow` gets them";

/// What a backfill would do, and about how long it would take.
pub(crate) fn backfill_text(backfill: &Backfill, outlook: &BackfillOutlook) -> String {
    let missing = backfill.missing();
    let mut text = format!(
        "{} of neighbouring commits: {} recorded, {} to measure\n",
        plural(missing.len() + backfill.recorded(), "pair", "pairs"),
        backfill.recorded(),
        missing.len()
    );
    for one in missing.iter().take(LISTED) {
        text += &format!("  {}\n", named(one));
    }
    if missing.len() > LISTED {
        text += &format!("  and {} more\n", missing.len() - LISTED);
    }
    for one in backfill.left_out() {
        text += &format!(
            "  without {}: it could not be built; `--retry` tries it again\n",
            short(&one.id)
        );
    }
    if !missing.is_empty() {
        text += &format!("{}\n", duration(missing.len(), outlook));
    }
    if backfill.is_cut {
        text += &format!("{CUT}\n");
    }
    text
}

fn duration(pairs: usize, outlook: &BackfillOutlook) -> String {
    let Some(usual) = outlook.usual else {
        return format!(
            "how long it takes is not known: no run of a machine like this one is recorded. Each benchmark that a \
             commit changes is timed for at most {} per side, and each pair needs one build",
            rounded(outlook.per_benchmark)
        );
    };
    let all = usual * u32::try_from(pairs).unwrap_or(u32::MAX);
    let calls = outlook.limit.map(|limit| {
        let each = (limit.as_secs_f64() / usual.as_secs_f64().max(1.0)).max(1.0);
        let calls = (pairs as f64 / each.floor()).ceil() as usize;
        format!(
            ", in {} of {}",
            plural(calls, "call", "calls"),
            rounded(limit)
        )
    });
    format!(
        "about {}{}, if each takes {} as recorded runs on such machines do",
        rounded(all),
        calls.unwrap_or_default(),
        rounded(usual)
    )
}

/// As a person says it: `45s`, `12m`, `3h 20m`.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs();
    let rounded = match seconds {
        0..=99 => {
            return humantime::format_duration(Duration::from_millis(round_to(time, 100)))
                .to_string();
        }
        100..=5_999 => seconds.div_ceil(60) * 60,
        _ => seconds.div_ceil(600) * 600,
    };
    humantime::format_duration(Duration::from_secs(rounded)).to_string()
}

fn round_to(time: Duration, step: u64) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    millis.div_ceil(step) * step
}

/// A pair, as its line begins: `1a2b3c4d5..6e7f8a9b0 Parse faster`.
pub(crate) fn named(pair: &Neighbours) -> String {
    let bridged = match pair.bridged.len() {
        0 => String::new(),
        n => format!(" (over {})", plural(n, "commit", "commits")),
    };
    format!(
        "{}..{}{bridged} {}",
        short(&pair.older.id),
        short(&pair.newer.id),
        visible(&pair.newer.subject)
    )
}

/// What a run says of its benchmarks: `1 slower, 3 unchanged, 8 identical`.
pub(crate) fn tally(run: &RunRecord) -> String {
    let all = [
        Verdict::Slower,
        Verdict::Faster,
        Verdict::Unchanged,
        Verdict::Inconclusive,
        Verdict::Identical,
        Verdict::Unreached,
        Verdict::Untimed,
        Verdict::Added,
        Verdict::Removed,
        Verdict::Failed,
    ];
    let counted = all.into_iter().filter_map(|verdict| {
        let of = run.benchmarks.iter().filter(|one| one.verdict == verdict);
        let count = of.count();
        (count > 0).then(|| format!("{count} {verdict}"))
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// That a commit cannot be built, and why.
pub(crate) fn left_out(id: &str, why: &str) -> String {
    let why = why.lines().next().unwrap_or_default();
    format!(
        "left out {}: {}. The commits around it are compared with each other",
        short(id),
        visible(why)
    )
}

/// What one call did, and what is left.
pub(crate) fn summary(
    backfill: &Backfill,
    measured: usize,
    store: &HistoryStore,
    ended_by: Option<Interrupted>,
) -> String {
    let missing = backfill.missing().len();
    let done = format!("{} recorded in {store}", plural(measured, "pair", "pairs"));
    let left_out = match backfill.left_out().len() {
        0 => String::new(),
        n => format!(", {} left out", plural(n, "commit", "commits")),
    };
    let is_signal = matches!(ended_by, Some(Interrupted::Signal(_)));
    match (missing, measured) {
        (0, _) if backfill.is_cut => format!("{done}{left_out}; {CUT}"),
        (0, _) => format!("{done}{left_out}; none is missing: `cargo perfcheck trend` shows them"),
        (_, 0) if !is_signal => format!(
            "{done}{left_out}; {missing} still missing. The time was too short for one: give more with `--time`, or \
             measure less with `--quick`"
        ),
        _ => format!("{done}{left_out}; {missing} still missing: the same command goes on"),
    }
}
