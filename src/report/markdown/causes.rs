//! What a change comes from: functions and hunks, one fold per benchmark.

use super::detail::split;
use super::escape::{fenced, html_code, words as plain};
use super::sections::{Page, fold};
use crate::attribute::{Contributor, Hunk};
use crate::report::causes::{self, Explained, ShownCauses};
use crate::report::contributions::{ContributionScale, ranked};
use crate::report::escape::shortened;

/// Functions shown of each benchmark.
const FUNCTIONS: usize = 5;
/// Lines of a hunk.
const LINES: usize = 12;
/// Columns of a hunk.
const WIDTH: usize = 140;

impl Page<'_> {
    pub(super) fn causes(&self, out: &mut String) {
        let explained = causes::grouped(self.report);
        if explained.is_empty() {
            return;
        }
        out.push_str("### Where the changes come from\n\n");
        let (listed, more) = split(&explained, self.detail.list);
        let mut shown = ShownCauses::default();
        for cause in listed {
            let mut body = self.cause(&cause.first, &mut shown);
            if let Some(others) = causes::others(cause, self.naming) {
                body.push_str(&format!("- {}\n", self.text(&others)));
            }
            fold(out, &self.in_short(&cause.first), &body);
        }
        self.more(out, more, "explanations");
        if more > 0 {
            out.push('\n');
        }
    }

    /// The summary that is visible while the fold is closed, as HTML.
    fn in_short(&self, one: &Explained) -> String {
        let total = one.attribution.change.map_or(0.0, |change| change.ns);
        let name = shortened(&self.naming.name(&one.comparison.key), self.detail.text);
        let mut text = format!("{} {}", html_code(&name), causes::signed(total));
        if let Some(first) = one.explanation.contributors.first() {
            let function = shortened(&first.function, self.detail.text);
            let part = scale(one).part(first);
            text.push_str(&format!(", {part} of it in {}", html_code(&function)));
        }
        text
    }

    fn cause<'a>(&self, one: &Explained<'a>, shown: &mut ShownCauses<'a>) -> String {
        let scale = scale(one);
        let contributors = &one.explanation.contributors;
        let mut out = String::new();
        if !contributors.is_empty() {
            out.push_str("| change | of it | function | where |\n|--:|--:|:--|:--|\n");
        }
        for contributor in contributors.iter().take(FUNCTIONS) {
            out.push_str(&self.contributor(contributor, scale));
        }
        out.push('\n');
        for hunk in contributors
            .iter()
            .take(FUNCTIONS)
            .filter_map(|contributor| contributor.hunks.first())
        {
            if shown.is_new(hunk) {
                self.hunk(hunk, &mut out);
            } else {
                let heading = plain(&causes::hunk_heading(hunk));
                out.push_str(&format!("{heading}: see above\n\n"));
            }
        }
        if let Some(rest) = scale.unexplained(one.explanation) {
            out.push_str(&format!("- {}\n", self.text(&rest)));
        }
        for beside in shown.new_beside(one.explanation) {
            out.push_str(&format!("- {}\n", self.text(&beside)));
        }
        if let Some(ranked) = ranked(one.attribution) {
            out.push_str(&format!("- {}\n", self.text(&ranked)));
        }
        let sampled = causes::sampled(one.attribution);
        out.push_str(&format!("- {}\n", self.text(&sampled)));
        out
    }

    fn contributor(&self, contributor: &Contributor, scale: ContributionScale<'_>) -> String {
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
            "| {} | {} | {} | {} |\n",
            scale.amount(contributor),
            scale.part(contributor),
            self.code(&contributor.function),
            place.join("; ")
        )
    }

    pub(super) fn hunk(&self, hunk: &Hunk, out: &mut String) {
        // Only the marks, without line numbers: the colours of a diff come from the first column.
        let telling = causes::telling(&hunk.lines, LINES.min(self.detail.text));
        let more = causes::more_lines(hunk, &telling);
        let lines = telling.into_iter().map(|line| {
            line.map_or(" …".to_owned(), |line| {
                causes::plain_diff_line(line, WIDTH)
            })
        });
        let text: Vec<String> = lines.collect();
        out.push_str(&format!("{}\n\n", plain(&causes::hunk_heading(hunk))));
        out.push_str(&fenced("diff", &text.join("\n")));
        out.push('\n');
        if let Some(more) = more {
            out.push_str(&format!("{more}\n\n"));
        }
    }
}

fn scale<'a>(one: &Explained<'a>) -> ContributionScale<'a> {
    ContributionScale::of(one.explanation, one.attribution.change.as_ref())
}
