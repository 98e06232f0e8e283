//! What a change comes from: functions and hunks.

use super::detail::split;
use super::escape::{fenced, words as plain};
use super::sections::Page;
use crate::analyse::Comparison;
use crate::attribute::{Attribution, Contributor, Explanation, Hunk};
use crate::report::causes;

/// Functions shown of each benchmark.
const FUNCTIONS: usize = 5;
/// Lines of a hunk.
const LINES: usize = 24;
/// Columns of a hunk.
const WIDTH: usize = 140;

impl Page<'_> {
    pub(super) fn causes(&self, out: &mut String) {
        let all = causes::of(self.report);
        let explained: Vec<_> = all
            .into_iter()
            .filter_map(|(comparison, attribution)| {
                let explanation = attribution.explanation.as_ref()?;
                Some((comparison, attribution, explanation))
            })
            .collect();
        if explained.is_empty() {
            return;
        }
        out.push_str("### Where the changes come from\n\n");
        let (shown, more) = split(&explained, self.detail.list);
        for (comparison, attribution, explanation) in shown {
            self.cause(comparison, attribution, explanation, out);
        }
        self.more(out, more, "explanations");
        if more > 0 {
            out.push('\n');
        }
    }

    fn cause(
        &self,
        comparison: &Comparison,
        attribution: &Attribution,
        explanation: &Explanation,
        out: &mut String,
    ) {
        let total = attribution.change.map_or(0.0, |change| change.ns);
        let name = self.name(comparison);
        out.push_str(&format!(
            "{name}: {} an iteration\n\n",
            causes::signed(total)
        ));
        out.push_str("| change | of it | function | where |\n|--:|--:|:--|:--|\n");
        for contributor in explanation.contributors.iter().take(FUNCTIONS) {
            out.push_str(&self.contributor(contributor, total));
        }
        if let Some(rest) = causes::unexplained(attribution, explanation) {
            out.push_str(&format!("\n{}\n", plain(&rest)));
        }
        out.push('\n');
        for beside in &explanation.beside {
            out.push_str(&format!("- also changed: {}\n", self.text(beside)));
        }
        if !explanation.beside.is_empty() {
            out.push('\n');
        }
        let mut shown: Vec<&Hunk> = Vec::new();
        for contributor in explanation.contributors.iter().take(FUNCTIONS) {
            for hunk in contributor.hunks.iter().take(1) {
                if !shown.iter().any(|known| known.is_same_place(hunk)) {
                    self.hunk(hunk, out);
                    shown.push(hunk);
                }
            }
        }
        out.push_str(&format!("{}\n\n", plain(&causes::sampled(attribution))));
    }

    fn contributor(&self, contributor: &Contributor, total: f64) -> String {
        let mut place: Vec<String> = Vec::new();
        if let Some(at) = causes::place(contributor) {
            place.push(self.code(&at.to_string()));
        }
        place.extend(
            causes::remarks(contributor)
                .iter()
                .map(|text| self.text(text)),
        );
        format!(
            "| {} | {:.0} % | {} | {} |\n",
            causes::estimate(&contributor.change),
            contributor.change.ns / total * 100.0,
            self.code(&contributor.function),
            place.join("; ")
        )
    }

    fn hunk(&self, hunk: &Hunk, out: &mut String) {
        // Nothing but the marks: the diff's own colours come from the first column.
        let lines = causes::cut(&hunk.lines, LINES.min(self.detail.text));
        let lines = lines
            .iter()
            .map(|line| causes::plain_diff_line(line, WIDTH));
        let text: Vec<String> = lines.collect();
        out.push_str(&format!("{}\n\n", plain(&causes::hunk_heading(hunk))));
        out.push_str(&fenced("diff", &text.join("\n")));
        out.push('\n');
    }
}
