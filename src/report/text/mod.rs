//! The report for a terminal: the table first, the vote last, where the eye rests.

mod bar;
mod budgets;
mod causes;
mod load_tests;
mod metrics;
mod paint;
mod prose;
mod table;

use bar::Scale;
use paint::{Tone, paint};
use table::{Align, Cell, Column, Row};

use unicode_width::UnicodeWidthStr as _;

use super::escape::{clipped, shortened, visible};
use super::words::{self, Naming};
use super::{RenderOptions, Report, TextLength};
use crate::analyse::{Comparison, RatioEstimate, Verdict};
use crate::units::{Charset, Metric, Side};

/// The most changed benchmarks that are listed on a screen.
const NOTABLE_ROWS: usize = 20;

/// Unchanged benchmarks are listed only if this many rows are enough.
const ROWS: usize = 12;

/// Each target with unmeasured benchmarks has a line, up to this many targets.
const UNMEASURED_TARGETS: usize = 3;

/// Below this width a benchmark takes two lines.
const NARROW: usize = 60;

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    let page = TextPage {
        report,
        options,
        naming: Naming::of(report),
    };
    let mut out = String::new();
    page.header(&mut out);
    page.partial(&mut out);
    page.benchmarks(&mut out);
    page.beside_time(&mut out);
    page.load_tests(&mut out);
    page.budgets(&mut out);
    page.claims(&mut out);
    page.causes(&mut out);
    page.advice(&mut out);
    page.failures(&mut out);
    page.doubts(&mut out);
    page.method(&mut out);
    page.vote(&mut out);
    match options.charset {
        Charset::Unicode => out,
        Charset::Ascii => ascii(&out),
    }
}

struct TextPage<'a> {
    report: &'a Report,
    options: &'a RenderOptions,
    naming: Naming,
}

impl TextPage<'_> {
    fn paint(&self, text: &str, tone: Tone) -> String {
        paint(text, tone, self.options.colour)
    }

    /// How many entries are shown: `on_a_screen`, or all of them.
    fn most(&self, on_a_screen: usize) -> usize {
        match self.options.length {
            TextLength::Screen => on_a_screen,
            TextLength::Whole => usize::MAX,
        }
    }

    fn is_screen(&self) -> bool {
        self.options.length == TextLength::Screen
    }

    fn header(&self, out: &mut String) {
        let range = &self.report.range;
        for (side, commit) in [(Side::Base, &range.base), (Side::Head, &range.head)] {
            let subject = visible(&commit.subject);
            let id = self.paint(&words::revision(commit), Tone::Heading);
            let label = words::label(commit).map_or_else(String::new, |label| label + " ");
            let before = side.name().len() + label.width() + words::revision(commit).width() + 4;
            let room = self.options.width.saturating_sub(before).max(20);
            let subject = clipped(&subject, room);
            out.push_str(&format!("{side}  {label}{id}  {subject}\n"));
        }
        out.push('\n');
    }

    fn benchmarks(&self, out: &mut String) {
        let all = words::ordered(self.report);
        let (notable, quiet): (Vec<&Comparison>, Vec<&Comparison>) =
            all.into_iter().partition(|c| words::is_notable(c));
        let unchanged: Vec<&Comparison> = quiet
            .iter()
            .copied()
            .filter(|c| c.verdict == Verdict::Unchanged)
            .collect();
        let notable_listed = notable.len().min(self.most(NOTABLE_ROWS));
        let room = self.most(ROWS).saturating_sub(notable_listed);
        let listed = unchanged.len().min(room);
        let mut rows = notable[..notable_listed].to_vec();
        rows.extend(&unchanged[..listed]);
        if !rows.is_empty() {
            out.push_str(&self.table(&rows));
        }
        let left_out = &notable[notable_listed..];
        if !left_out.is_empty() {
            let text = format!("… {}; `--verbose` lists them\n", words::tally_of(left_out));
            out.push_str(&self.paint(&text, Tone::Quiet));
        }
        if unchanged.len() > listed {
            let symbol = words::symbol(Verdict::Unchanged, self.options.charset);
            let more = words::benchmarks(unchanged.len() - listed);
            let text = format!(
                "{symbol} unchanged     {more}{}\n",
                if listed > 0 { " more" } else { "" }
            );
            out.push_str(&self.paint(&text, Tone::Quiet));
        }
        self.unmeasured(out, Verdict::Identical, "same compiled code");
        self.unmeasured(out, Verdict::Untimed, "as many instructions as before");
        self.unmeasured(out, Verdict::Unreached, "executed nothing that changed");
        if !self.report.benchmarks.is_empty() {
            out.push('\n');
        }
    }

    /// One line per target for benchmarks that need not be timed.
    fn unmeasured(&self, out: &mut String, verdict: Verdict, why: &str) {
        let mut targets: Vec<(String, usize)> = Vec::new();
        for c in &self.report.benchmarks {
            if c.verdict != verdict || words::is_notable(c) {
                continue;
            }
            let target = visible(&format!("{}::{}", c.key.package, c.key.target));
            match targets.iter_mut().find(|(name, _)| *name == target) {
                Some((_, n)) => *n += 1,
                None => targets.push((target, 1)),
            }
        }
        let symbol = words::symbol(verdict, self.options.charset);
        let not_measured = match verdict {
            Verdict::Untimed => "not timed",
            _ => "not measured",
        };
        if targets.len() > self.most(UNMEASURED_TARGETS) {
            let of = words::plural(targets.len(), "bench target", "bench targets");
            let n = words::benchmarks(targets.iter().map(|(_, n)| n).sum());
            let text = format!(
                "{symbol} {:<13} {of}: {why}, {n} {not_measured}",
                verdict.name()
            );
            out.push_str(&self.paint(&self.wrapped(&text, 16), Tone::Quiet));
            return;
        }
        for (target, n) in targets {
            let text = format!(
                "{symbol} {:<13} {target}: {why}, {} {not_measured}",
                verdict.name(),
                words::benchmarks(n)
            );
            out.push_str(&self.paint(&self.wrapped(&text, 16), Tone::Quiet));
        }
    }

    fn table(&self, rows: &[&Comparison]) -> String {
        let changes: Vec<&RatioEstimate> = rows.iter().filter_map(|c| c.estimate()).collect();
        let scale = Scale::fitting(&changes, self.options.charset);
        if self.options.width < NARROW {
            return self.stacked(rows);
        }
        let columns = columns(self.report, scale.as_ref());
        let lines: Vec<Row> = rows.iter().map(|c| self.row(c, scale.as_ref())).collect();
        table::layout(&columns, &lines, self.options.width, self.options.colour)
    }

    /// The benchmark's name on one line of this terminal; the other formats have it whole.
    fn name(&self, comparison: &Comparison) -> String {
        let name = self.naming.name(&comparison.key);
        shortened(&name, self.options.width.saturating_sub(16).max(24))
    }

    fn row(&self, comparison: &Comparison, scale: Option<&Scale>) -> Row {
        let tone = Tone::of_verdict(comparison.verdict);
        let numbers = match comparison.verdict {
            Verdict::Unchanged => Tone::Quiet,
            _ => Tone::Normal,
        };
        let side = |side| Cell::new(median(comparison, side), numbers);
        let change = comparison.estimate();
        Row {
            cells: vec![
                Cell::new(self.verdict(comparison), tone),
                Cell::new(self.name(comparison), Tone::Normal),
                side(Side::Base),
                side(Side::Head),
                Cell::new(
                    change.map(|c| c.ratio.to_string()).unwrap_or_default(),
                    tone,
                ),
                Cell::new(change.map(interval).unwrap_or_default(), numbers),
                Cell::new(
                    change.zip(scale).map(|(c, s)| s.bar(c)).unwrap_or_default(),
                    tone,
                ),
            ]
            .into_iter()
            .map(|cell| self.drawable(cell))
            .collect(),
        }
    }

    /// The cell in the wanted characters, before its width counts.
    fn drawable(&self, mut cell: Cell) -> Cell {
        if self.options.charset == Charset::Ascii {
            cell.text = ascii(&cell.text);
        }
        cell
    }

    fn verdict(&self, comparison: &Comparison) -> String {
        let symbol = words::symbol(comparison.verdict, self.options.charset);
        format!("{symbol} {}", comparison.verdict.name())
    }

    fn stacked(&self, rows: &[&Comparison]) -> String {
        let mut out = String::new();
        for comparison in rows {
            let tone = Tone::of_verdict(comparison.verdict);
            let verdict = self.paint(&self.verdict(comparison), tone);
            out.push_str(&format!("{verdict}  {}\n", self.name(comparison)));
            if let Some(change) = comparison.estimate() {
                let (base, head) = (
                    median(comparison, Side::Base),
                    median(comparison, Side::Head),
                );
                out.push_str(&format!(
                    "  {base} → {head}\n  {}  {}\n",
                    self.paint(&change.ratio.to_string(), tone),
                    interval(change)
                ));
            }
        }
        out
    }
}

fn columns(report: &Report, scale: Option<&Scale>) -> Vec<Column> {
    let interval = words::interval_heading(report);
    vec![
        Column::new("", Align::Left, None),
        Column::new("benchmark", Align::Left, None),
        Column::new("base", Align::Right, Some(4)),
        Column::new("head", Align::Right, Some(5)),
        Column::new("change", Align::Right, None),
        Column::new(&interval, Align::Right, Some(3)),
        Column::new(
            &scale.map(Scale::heading).unwrap_or_default(),
            Align::Left,
            Some(2),
        ),
    ]
}

fn interval(change: &RatioEstimate) -> String {
    format!("{} … {}", change.lower, change.upper)
}

fn median(comparison: &Comparison, side: Side) -> String {
    let median = comparison.value(Metric::TIME, side);
    median
        .map(|median| Metric::TIME.unit.show(median))
        .unwrap_or_default()
}

/// Our own symbols in ASCII; names of benchmarks keep their characters.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '…' => out.push_str(".."),
            '→' => out.push_str("->"),
            '±' => out.push_str("+/-"),
            'µ' => out.push('u'),
            '−' => out.push('-'),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            c => out.push(c),
        }
    }
    out
}
