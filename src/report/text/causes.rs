//! What a change comes from, below the table.

use super::Page;
use super::paint::Tone;
use crate::analyse::Comparison;
use crate::attribute::{Attribution, Contributor, Hunk, LineKind};
use crate::report::causes;
use crate::report::escape::{shortened, visible};

/// This many benchmarks are explained.
const EXPLAINED: usize = 12;
/// This many functions of each.
const FUNCTIONS: usize = 4;
/// This many pieces of advice, those that promise most.
const ADVICE: usize = 5;
/// This many lines of a hunk.
const LINES: usize = 16;

impl Page<'_> {
    pub(super) fn causes(&self, out: &mut String) {
        let explained = causes::of(self.report);
        let explained = explained
            .iter()
            .filter(|(_, attribution)| attribution.explanation.is_some());
        for (comparison, attribution) in explained.clone().take(EXPLAINED) {
            self.cause(comparison, attribution, out);
        }
        let more = explained.count().saturating_sub(EXPLAINED);
        if more > 0 {
            out.push_str(&format!(
                "… and {more} more are explained in every other format\n\n"
            ));
        }
    }

    /// What could be won on the head side, whatever has changed.
    pub(super) fn advice(&self, out: &mut String) {
        let mut all: Vec<(f64, String)> = Vec::new();
        for (comparison, attribution) in causes::of(self.report) {
            let name = self.name(comparison);
            let found = attribution.advice.iter();
            all.extend(found.map(|a| (a.at_most, format!("{name}: {}", causes::advice(a)))));
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, text) in all.iter().take(ADVICE) {
            out.push_str(&self.wrapped(&format!("advice: {text}"), 2));
        }
        if !all.is_empty() {
            out.push('\n');
        }
    }

    fn cause(&self, comparison: &Comparison, attribution: &Attribution, out: &mut String) {
        let (Some(explanation), Some(change)) = (&attribution.explanation, &attribution.change)
        else {
            return;
        };
        let tone = Tone::of_verdict(comparison.verdict);
        let heading = format!("{}  {}", self.name(comparison), causes::signed(change.ns));
        out.push_str(&format!("why  {}\n", self.paint(&heading, tone)));
        let mut shown: Vec<&Hunk> = Vec::new();
        for contributor in explanation.contributors.iter().take(FUNCTIONS) {
            self.contributor(contributor, change.ns, out);
            // One hunk a function here: the closest, unless it was shown for another.
            if let Some(hunk) = contributor.hunks.first() {
                self.hunk(
                    hunk,
                    shown.iter().any(|known| known.is_same_place(hunk)),
                    out,
                );
                shown.push(hunk);
            }
        }
        for beside in &explanation.beside {
            out.push_str(&self.indented(&format!("also changed: {}", visible(beside))));
        }
        if let Some(rest) = causes::unexplained(attribution, explanation) {
            out.push_str(&format!("     {}\n", self.paint(&rest, Tone::Quiet)));
        }
        let sampled = causes::sampled(attribution);
        out.push_str(&format!("     {}\n\n", self.paint(&sampled, Tone::Quiet)));
    }

    fn hunk(&self, hunk: &Hunk, was_shown: bool, out: &mut String) {
        let heading = causes::hunk_heading(hunk);
        if was_shown {
            let text = format!("       {heading}: see above\n");
            out.push_str(&self.paint(&text, Tone::Quiet));
            return;
        }
        out.push_str(&format!("       {heading}\n"));
        let cut = causes::cut(&hunk.lines, LINES);
        for line in cut {
            let tone = match line.kind {
                LineKind::Same => Tone::Quiet,
                LineKind::Removed => Tone::Bad,
                LineKind::Added => Tone::Good,
            };
            let text = causes::diff_line(line, self.options.width.saturating_sub(9));
            out.push_str(&format!("         {}\n", self.paint(&text, tone)));
        }
        let left_out = hunk.left_out + hunk.lines.len() - cut.len();
        if left_out > 0 {
            out.push_str(&format!("         … {left_out} more lines\n"));
        }
    }

    fn indented(&self, text: &str) -> String {
        format!("     {}\n", self.paint(&shortened(text, 400), Tone::Quiet))
    }

    fn contributor(&self, contributor: &Contributor, total: f64, out: &mut String) {
        let share = contributor.change.ns / total * 100.0;
        out.push_str(&format!(
            "     {}  {share:.0} %  {}\n",
            causes::estimate(&contributor.change),
            self.paint(&causes::name(contributor), Tone::Heading)
        ));
        let mut remarks: Vec<String> = Vec::new();
        remarks.extend(causes::place(contributor).map(|place| format!("at {place}")));
        remarks.extend(causes::remarks(contributor));
        if !remarks.is_empty() {
            out.push_str(&format!(
                "       {}\n",
                self.paint(&remarks.join("; "), Tone::Quiet)
            ));
        }
    }
}
