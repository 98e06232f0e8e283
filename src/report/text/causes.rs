//! What a change comes from, below the table.

use unicode_width::UnicodeWidthStr as _;

use super::TextPage;
use super::paint::Tone;
use crate::analyse::{Comparison, Verdict};
use crate::attribute::{Attribution, Contributor, Hunk, LineKind};
use crate::report::causes::{self, ShownCauses};
use crate::report::contributions::{ContributionScale, ranked};
use crate::report::escape::{clipped, shortened, visible};

/// This many causes are explained.
const EXPLAINED: usize = 12;
/// The most causes on a screen, the most severe first.
const ON_A_SCREEN: usize = 4;
/// This many functions of each.
const FUNCTIONS: usize = 4;
/// The most pieces of advice, those with the largest gain first.
const ADVICE: usize = 5;
/// The most lines of a hunk on a screen: with the lines around it, a cause has twelve at most.
const SCREEN_LINES: usize = 5;
/// The most lines of a hunk if everything is shown.
const LINES: usize = 40;
/// Contributions below this share of the change are left out on a screen.
const NOTICEABLE: f64 = 0.05;

impl TextPage<'_> {
    pub(super) fn causes(&self, out: &mut String) {
        let causes = causes::grouped(self.report);
        let most = self.most(ON_A_SCREEN).min(EXPLAINED);
        let mut shown = ShownCauses::default();
        for cause in causes.iter().take(most) {
            let (comparison, attribution) = (cause.first.comparison, cause.first.attribution);
            match self.is_screen() {
                true => self.cause_in_short(comparison, attribution, &mut shown, out),
                false => self.cause(comparison, attribution, &mut shown, out),
            }
            if let Some(others) = causes::others(cause, self.naming) {
                let most = self.options.width.saturating_sub(5);
                let others = match self.is_screen() {
                    true => clipped(&others, most),
                    false => others,
                };
                out.push_str(&self.block(&others, 5, Tone::Quiet));
            }
            out.push('\n');
        }
        let left_out = causes.iter().skip(most);
        let more: usize = left_out.map(|cause| 1 + cause.others.len()).sum();
        if more > 0 {
            let is = if more == 1 { "is" } else { "are" };
            let place = match self.is_screen() {
                true => "with `--verbose`",
                false => "in every other format",
            };
            out.push_str(&format!("… and {more} more {is} explained {place}\n\n"));
        }
    }

    /// What could be gained on the head side, whatever has changed.
    pub(super) fn advice(&self, out: &mut String) {
        let mut all: Vec<(f64, String)> = Vec::new();
        for (comparison, attribution) in causes::of(self.report) {
            let name = self.name(comparison);
            let found = attribution.advice.iter();
            all.extend(found.map(|a| (a.at_most, format!("{name}: {}", causes::advice(a)))));
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let most = self.most(1).min(ADVICE);
        for (_, text) in all.iter().take(most) {
            let text = format!("advice: {text}");
            let text = match self.is_screen() {
                true => clipped(&text, 2 * self.options.width),
                false => text,
            };
            out.push_str(&self.wrapped(&text, 2));
        }
        if !all.is_empty() {
            out.push('\n');
        }
    }

    /// The cause of a change, in twelve lines at most: the function, and the lines of the source that differ.
    fn cause_in_short<'a>(
        &self,
        comparison: &Comparison,
        attribution: &'a Attribution,
        shown: &mut ShownCauses<'a>,
        out: &mut String,
    ) {
        let (Some(explanation), Some(change)) = (&attribution.explanation, &attribution.change)
        else {
            return;
        };
        let line = |text: &str, indent: usize| {
            clipped(text, self.options.width.saturating_sub(indent).max(40))
        };
        let tone = Tone::of_verdict(comparison.verdict);
        let heading = format!("{}  {}", self.name(comparison), causes::signed(change.ns));
        out.push_str(&format!("why  {}\n", self.paint(&line(&heading, 5), tone)));
        let Some((first, rest)) = explanation.contributors.split_first() else {
            return;
        };
        let scale = ContributionScale::of(explanation, Some(change));
        let part = scale.part(first);
        let name = line(&causes::name(first), part.width() + 7);
        out.push_str(&format!(
            "     {part}  {}\n",
            self.paint(&name, Tone::Heading)
        ));
        let ranked = ranked(attribution);
        if let Some(ranked) = &ranked {
            let ranked = self.paint(&line(ranked, 7), Tone::Quiet);
            out.push_str(&format!("       {ranked}\n"));
        }
        if first.same_code {
            let remark = "its machine code is the same on both sides: called more often, with other data, or moved";
            out.push_str(&format!(
                "       {}\n",
                self.paint(&line(remark, 7), Tone::Quiet)
            ));
        }
        if let Some(hunk) = first.hunks.first() {
            let is_new = shown.is_new(hunk);
            let heading = line(&causes::hunk_place(hunk), 18);
            let above = if is_new { "" } else { ": see above" };
            out.push_str(&format!("       {heading}{above}\n"));
            // Nobody needs to investigate what got faster.
            if is_new && comparison.verdict != Verdict::Faster {
                let most = SCREEN_LINES - usize::from(ranked.is_some());
                self.hunk_lines(hunk, most, out);
            }
        } else if let Some(place) = causes::place(first) {
            let place = line(&format!("at {}", visible(&place.to_string())), 7);
            out.push_str(&format!("       {}\n", self.paint(&place, Tone::Quiet)));
        }
        let noticeable = |c: &&Contributor| scale.is_noticeable(c, NOTICEABLE);
        let also: Vec<String> = rest
            .iter()
            .filter(noticeable)
            .map(|c| format!("{} ({})", causes::name(c), scale.part(c)))
            .collect();
        if !also.is_empty() {
            let also = line(&format!("also {}", also.join(", ")), 5);
            out.push_str(&format!("     {}\n", self.paint(&also, Tone::Quiet)));
        }
        for beside in shown.new_beside(explanation).iter().take(1) {
            let beside = line(beside, 5);
            out.push_str(&format!("     {}\n", self.paint(&beside, Tone::Quiet)));
        }
    }

    fn cause<'a>(
        &self,
        comparison: &Comparison,
        attribution: &'a Attribution,
        shown: &mut ShownCauses<'a>,
        out: &mut String,
    ) {
        let (Some(explanation), Some(change)) = (&attribution.explanation, &attribution.change)
        else {
            return;
        };
        let tone = Tone::of_verdict(comparison.verdict);
        let heading = format!("{}  {}", self.name(comparison), causes::signed(change.ns));
        out.push_str(&format!("why  {}\n", self.paint(&heading, tone)));
        let scale = ContributionScale::of(explanation, Some(change));
        if let Some(ranked) = ranked(attribution) {
            out.push_str(&self.block(&ranked, 5, Tone::Quiet));
        }
        for contributor in explanation.contributors.iter().take(FUNCTIONS) {
            self.contributor(contributor, scale, out);
            // One hunk per function here: the closest, unless it was shown for another.
            if let Some(hunk) = contributor.hunks.first() {
                let is_new = shown.is_new(hunk);
                self.hunk(hunk, is_new, out);
            }
        }
        for beside in shown.new_beside(explanation) {
            out.push_str(&self.block(&shortened(&beside, 400), 5, Tone::Quiet));
        }
        if let Some(rest) = scale.unexplained(explanation) {
            out.push_str(&self.block(&rest, 5, Tone::Quiet));
        }
        let sampled = causes::sampled(attribution);
        out.push_str(&self.block(&sampled, 5, Tone::Quiet));
    }

    fn hunk(&self, hunk: &Hunk, is_new: bool, out: &mut String) {
        let heading = causes::hunk_heading(hunk);
        if !is_new {
            out.push_str(&self.block(&format!("{heading}: see above"), 7, Tone::Quiet));
            return;
        }
        out.push_str(&self.block(&heading, 7, Tone::Normal));
        self.hunk_lines(hunk, LINES, out);
    }

    fn hunk_lines(&self, hunk: &Hunk, most: usize, out: &mut String) {
        let telling = causes::telling(&hunk.lines, most);
        // The line numbers show what is left out in between.
        for line in telling.iter().flatten() {
            let tone = match line.kind {
                LineKind::Same => Tone::Quiet,
                LineKind::Removed => Tone::Bad,
                LineKind::Added => Tone::Good,
            };
            let text = causes::diff_line(line, self.options.width.saturating_sub(9));
            out.push_str(&format!("         {}\n", self.paint(&text, tone)));
        }
        if let Some(more) = causes::more_lines(hunk, &telling) {
            out.push_str(&format!("         {more}\n"));
        }
    }

    fn contributor(
        &self,
        contributor: &Contributor,
        scale: ContributionScale<'_>,
        out: &mut String,
    ) {
        let numbers = format!("{}  {}", scale.amount(contributor), scale.part(contributor));
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
