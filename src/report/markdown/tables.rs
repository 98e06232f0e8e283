//! The tables of benchmarks: those that need attention, and those that are folded away.

use super::detail::split;
use super::sections::{Page, fold};
use crate::analyse::{Comparison, Direction, Verdict};
use crate::report::words;
use crate::report::{causes, metrics};
use crate::units::{Charset, Metric, MetricGroup, Side};

/// Additional columns of the table of changed benchmarks, present if any benchmark has them.
#[derive(Debug, Clone, Default)]
struct Extra {
    groups: Vec<MetricGroup>,
    culprit: bool,
}

impl Page<'_> {
    pub(super) fn changed(&self, out: &mut String, notable: &[&Comparison]) {
        if notable.is_empty() {
            return;
        }
        out.push_str("### Changed or unclear\n\n");
        let (shown, more) = split(notable, self.detail.changed);
        let extra = Extra {
            groups: MetricGroup::BESIDE_TIME
                .into_iter()
                .filter(|group| shown.iter().any(|c| metrics::both(c, *group).is_some()))
                .collect(),
            culprit: shown
                .iter()
                .any(|c| causes::culprit(self.report, c).is_some()),
        };
        out.push_str(&self.table(shown, &extra));
        self.more(out, more, "benchmarks");
        out.push('\n');
    }

    pub(super) fn quiet(&self, out: &mut String, quiet: &[&Comparison]) {
        if quiet.is_empty() {
            return;
        }
        let identical = words::count(self.report, Verdict::Identical);
        let unreached = words::count(self.report, Verdict::Unreached);
        let untimed = quiet.iter().filter(|c| c.verdict == Verdict::Untimed);
        let untimed = untimed.count();
        let unchanged = quiet.len().saturating_sub(identical + unreached + untimed);
        let parts = [
            (unchanged, "unchanged"),
            (untimed, "with as many instructions as before, not timed"),
            (identical, "with identical code, not measured"),
            (
                unreached,
                "that executed nothing that changed, not measured",
            ),
        ];
        let parts = parts.iter().filter(|(n, _)| *n > 0);
        let parts: Vec<String> = parts.map(|(n, what)| format!("{n} {what}")).collect();
        let summary = parts.join(", ");
        let (shown, more) = split(quiet, self.detail.quiet);
        let mut body = if shown.is_empty() {
            String::new()
        } else {
            self.table(shown, &Extra::default())
        };
        self.more(&mut body, more, "benchmarks");
        fold(out, &summary, &body);
    }

    fn table(&self, rows: &[&Comparison], extra: &Extra) -> String {
        let interval = match words::interval_heading(self.report) {
            heading if heading.is_empty() => "interval".to_owned(),
            heading => heading,
        };
        let mut heading = format!("| | benchmark | median | change | {interval} |");
        let mut rule = "|---|---|--:|--:|:-:|".to_owned();
        for group in &extra.groups {
            heading.push_str(&format!(" {} |", group.name()));
            rule.push_str("--:|");
        }
        if extra.culprit {
            heading.push_str(" mostly in |");
            rule.push_str(":--|");
        }
        let mut out = format!("{heading}\n{rule}\n");
        for comparison in rows {
            out.push_str(&self.row(comparison, extra));
        }
        out
    }

    fn row(&self, comparison: &Comparison, extra: &Extra) -> String {
        let change = comparison.estimate();
        let size = change.map(|c| match comparison.verdict {
            Verdict::Slower | Verdict::Faster => format!("**{}**", c.ratio),
            _ => c.ratio.to_string(),
        });
        let mut row = format!(
            "| {} {} | {} | {} | {} | {} |",
            words::symbol(comparison.verdict, Charset::Unicode),
            comparison.verdict.name(),
            self.name(comparison),
            medians(comparison),
            size.unwrap_or_default(),
            change
                .map(|c| format!("{} … {}", c.lower, c.upper))
                .unwrap_or_default(),
        );
        for group in &extra.groups {
            let both = metrics::both(comparison, *group).unwrap_or_default();
            row.push_str(&match comparison.direction(*group) {
                Some(Direction::More) => format!(" **{both}** |"),
                _ => format!(" {both} |"),
            });
        }
        if extra.culprit {
            let culprit = causes::culprit(self.report, comparison);
            let function = culprit.map(|contributor| self.code(&contributor.function));
            row.push_str(&format!(" {} |", function.unwrap_or_default()));
        }
        row.push('\n');
        row
    }
}

/// `4.565 µs → 6.852 µs`, or the only side that exists.
fn medians(comparison: &Comparison) -> String {
    let median = |side| {
        let value = comparison.value(Metric::TIME, side)?;
        Some(Metric::TIME.unit.show(value))
    };
    match (median(Side::Base), median(Side::Head)) {
        (Some(base), Some(head)) => format!("{base} → {head}"),
        (Some(base), None) => format!("{base} → –"),
        (None, Some(head)) => format!("– → {head}"),
        (None, None) => String::new(),
    }
}
