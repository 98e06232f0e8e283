//! A trend for the terminal.

use unicode_width::UnicodeWidthStr as _;

use super::changes::{ChangeShape, TrendChange, percent};
use super::trends::{BenchmarkTrend, Trends};
use crate::report::visible;
use crate::stats::trend::Level;
use crate::units::{Charset, Metric, Timestamp, plural};

/// This many changes are listed, the newest first.
pub(super) const CHANGES: usize = 20;

/// What one line can hold of a commit's message.
const SUBJECT: usize = 50;

/// Every benchmark, and where it changed; commit by commit where one was asked for.
pub(crate) fn text(trends: &Trends, by_commit: bool, charset: Charset) -> String {
    let mut out = header(trends);
    if by_commit {
        for one in &trends.benchmarks {
            out += &commits(trends, one, charset);
        }
    } else {
        out += &overview(trends);
    }
    out += &changes(trends, charset);
    for remark in trends.remarks() {
        out += &format!("note: {}\n", visible(&remark));
    }
    plain(out, charset)
}

/// Text with the signs that a terminal has.
pub(super) fn plain(text: String, charset: Charset) -> String {
    match charset {
        Charset::Unicode => text,
        Charset::Ascii => text
            .replace('±', "+-")
            .replace('…', "...")
            .replace('−', "-"),
    }
}

fn header(trends: &Trends) -> String {
    format!(
        "{}{} over {} in {}, relative to {} (95 % intervals)\n\n",
        match trends.metric == Metric::TIME {
            true => String::new(),
            false => format!("{} of ", visible(trends.metric.name)),
        },
        plural(trends.benchmarks.len(), "benchmark", "benchmarks"),
        plural(trends.commits.len(), "commit", "commits"),
        plural(trends.runs, "run", "runs"),
        visible(&trends.name(trends.anchor)),
    )
}

fn overview(trends: &Trends) -> String {
    let mut rows =
        vec![["benchmark", "now", "interval", "steps", "drifts", "runs"].map(str::to_owned)];
    for one in &trends.benchmarks {
        let total = one.total();
        rows.push([
            visible(&one.key.to_string()),
            total.map_or("-".to_owned(), |total| total.ratio().to_string()),
            total.map_or(String::new(), interval),
            one.trend.steps.len().to_string(),
            one.trend.drifts.len().to_string(),
            one.edges.to_string(),
        ]);
    }
    table(&rows)
}

fn interval(level: Level) -> String {
    let [lower, upper] = level.bounds();
    format!("{lower} … {upper}")
}

fn commits(trends: &Trends, one: &BenchmarkTrend, charset: Charset) -> String {
    let mut rows = vec![["", "date", "commit", "level", "±", "message"].map(str::to_owned)];
    let changes = one.changes();
    for (place, level) in one.trend.levels.iter().enumerate() {
        let Some(level) = level else { continue };
        let commit = &trends.commits[place];
        let change = changes.iter().find(|change| change.commit == place);
        rows.push([
            change.map_or(String::new(), |change| mark(change, charset).to_owned()),
            day(commit.date),
            visible(&trends.name(place)),
            level.ratio().to_string(),
            percent(level.margin()),
            clipped(&commit.subject),
        ]);
    }
    format!("{}\n{}", visible(&one.key.to_string()), table(&rows))
}

fn changes(trends: &Trends, charset: Charset) -> String {
    let mut all: Vec<(TrendChange, &BenchmarkTrend)> = Vec::new();
    for one in &trends.benchmarks {
        all.extend(one.changes().into_iter().map(|change| (change, one)));
    }
    all.sort_by_key(|(change, _)| std::cmp::Reverse(change.commit));
    let more = all.len().saturating_sub(CHANGES);
    let mut out = match all.is_empty() {
        true => "no step and no drift\n".to_owned(),
        false => "steps and drifts, the newest first\n".to_owned(),
    };
    for (change, one) in all.into_iter().take(CHANGES) {
        let commit = &trends.commits[change.commit];
        let accepted = match one.accepted.get(&change.commit) {
            Some(why) => format!(", accepted: {}", visible(why)),
            None => String::new(),
        };
        out += &format!(
            "{} {} ± {}  {}\n  {}  {}  {}{}{accepted}\n",
            mark(&change, charset),
            change.size.ratio(),
            percent(change.size.margin()),
            visible(&one.key.to_string()),
            visible(&trends.name(change.commit)),
            day(commit.date),
            clipped(&commit.subject),
            visible(&trends.certain(&change)),
        );
    }
    if more > 0 {
        out += &format!("and {more} more: `--format html` shows all\n");
    }
    out + "\n"
}

fn mark(change: &TrendChange, charset: Charset) -> &'static str {
    let is_up = change.size.ln_ratio > 0.0;
    match (change.shape, charset, is_up) {
        (ChangeShape::Step, charset, is_up) => arrow(charset, is_up),
        (ChangeShape::Drift, Charset::Unicode, true) => "↗",
        (ChangeShape::Drift, Charset::Unicode, false) => "↘",
        (ChangeShape::Drift, Charset::Ascii, true) => "/",
        (ChangeShape::Drift, Charset::Ascii, false) => "\\",
    }
}

/// The sign of a step.
pub(super) fn arrow(charset: Charset, is_up: bool) -> &'static str {
    match (charset, is_up) {
        (Charset::Unicode, true) => "▲",
        (Charset::Unicode, false) => "▼",
        (Charset::Ascii, true) => ">",
        (Charset::Ascii, false) => "<",
    }
}

pub(super) fn day(date: Option<Timestamp>) -> String {
    date.map_or_else(|| "-".to_owned(), Timestamp::day)
}

pub(super) fn clipped(subject: &str) -> String {
    let subject = visible(subject);
    match subject.chars().count() > SUBJECT {
        true => subject.chars().take(SUBJECT - 1).chain(['…']).collect(),
        false => subject,
    }
}

/// Columns two apart. The first and the last are words, the others numbers.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width - cell.width());
            let is_words = column == 0 || column + 1 == N;
            line += &match is_words {
                true => format!("{cell}{padding}  "),
                false => format!("{padding}{cell}  "),
            };
        }
        out += line.trim_end();
        out.push('\n');
    }
    out.push('\n');
    out
}
