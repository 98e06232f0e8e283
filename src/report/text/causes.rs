//! What a change comes from, below the table.

use unicode_width::UnicodeWidthStr as _;

use super::TextPage;
use super::paint::Tone;
use crate::analyse::Comparison;
use crate::attribute::{Attribution, Contributor, Hunk, LineKind, NanosEstimate};
use crate::report::causes::{self, ShownCauses};
use crate::report::escape::shortened;

/// This many benchmarks are explained.
const EXPLAINED: usize = 12;
/// Of this many, with the source that changed; a terminal is no place to read a whole change.
const WITH_SOURCE: usize = 4;
/// This many functions of each.
const FUNCTIONS: usize = 4;
/// This many pieces of advice, those that promise most.
const ADVICE: usize = 5;
/// This many lines of a hunk.
const LINES: usize = 16;

impl TextPage<'_> {
    pub(super) fn causes(&self, out: &mut String) {
        let explained = causes::of(self.report);
        let explained = explained
            .iter()
            .filter(|(_, attribution)| attribution.explanation.is_some());
        let mut shown = ShownCauses::default();
        for (place, (comparison, attribution)) in explained.clone().take(EXPLAINED).enumerate() {
            let shown = (place < WITH_SOURCE).then_some(&mut shown);
            self.cause(comparison, attribution, shown, out);
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

    /// Without `shown`, no source.
    fn cause<'a>(
        &self,
        comparison: &Comparison,
        attribution: &'a Attribution,
        mut shown: Option<&mut ShownCauses<'a>>,
        out: &mut String,
    ) {
        let (Some(explanation), Some(change)) = (&attribution.explanation, &attribution.change)
        else {
            return;
        };
        let tone = Tone::of_verdict(comparison.verdict);
        let heading = format!("{}  {}", self.name(comparison), causes::signed(change.ns));
        out.push_str(&format!("why  {}\n", self.paint(&heading, tone)));
        for contributor in explanation.contributors.iter().take(FUNCTIONS) {
            self.contributor(contributor, change, out);
            // One hunk a function here: the closest, unless it was shown for another.
            if let (Some(hunk), Some(shown)) = (contributor.hunks.first(), shown.as_mut()) {
                let is_new = shown.is_new(hunk);
                self.hunk(hunk, is_new, out);
            }
        }
        let beside = shown.map(|shown| shown.new_beside(explanation));
        for beside in beside.unwrap_or_default() {
            out.push_str(&self.block(&shortened(&beside, 400), 5, Tone::Quiet));
        }
        if let Some(rest) = causes::unexplained(attribution, explanation) {
            out.push_str(&self.block(&rest, 5, Tone::Quiet));
        }
        let sampled = causes::sampled(attribution);
        out.push_str(&self.block(&sampled, 5, Tone::Quiet));
        out.push('\n');
    }

    fn hunk(&self, hunk: &Hunk, is_new: bool, out: &mut String) {
        let heading = causes::hunk_heading(hunk);
        if !is_new {
            out.push_str(&self.block(&format!("{heading}: see above"), 7, Tone::Quiet));
            return;
        }
        out.push_str(&self.block(&heading, 7, Tone::Normal));
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
        if let Some(more) = causes::more_lines(left_out) {
            out.push_str(&format!("         {more}\n"));
        }
    }

    fn contributor(&self, contributor: &Contributor, total: &NanosEstimate, out: &mut String) {
        let numbers = format!(
            "{}  {}",
            causes::estimate(&contributor.change),
            causes::part_of(contributor, Some(total))
        );
        let name = causes::name(contributor);
        let fits = 5 + numbers.width() + 2 + name.width() <= self.options.width;
        let between = if fits { "  " } else { "\n       " };
        let name = self.paint(&name, Tone::Heading);
        out.push_str(&format!("     {numbers}{between}{name}\n"));
        let mut remarks: Vec<String> = Vec::new();
        remarks.extend(causes::place(contributor).map(|place| format!("at {place}")));
        remarks.extend(causes::remarks(contributor));
        if !remarks.is_empty() {
            out.push_str(&self.block(&remarks.join("; "), 7, Tone::Quiet));
        }
    }
}
