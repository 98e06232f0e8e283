//! The tables of metrics other than time that changed, and the places behind each change.

use super::detail::split;
use super::escape::words as plain;
use super::sections::Page;
use crate::report::group_tables::{self, GroupRow, GroupTable};
use crate::report::metrics;
use crate::report::places::{self, ToldPlace};
use crate::units::Charset;

/// The most places per benchmark; the JSON report has them all.
const PLACES: usize = 3;

impl Page<'_> {
    pub(super) fn beside_time(&self, out: &mut String) {
        for group in group_tables::tables(self.report, self.naming) {
            if !group.rows.is_empty() {
                self.group_table(out, &group);
            }
            if let Some(rest) = &group.rest {
                let name = group.group.name();
                let (first, others) = name.split_at(1);
                let name = first.to_uppercase() + others;
                out.push_str(&format!("{name}: {}.\n\n", plain(rest)));
            }
        }
    }

    fn group_table(&self, out: &mut String, group: &GroupTable<'_>) {
        let (shown, more) = split(&group.rows, self.detail.changed);
        let names = group.columns.iter().map(|metric| format!(" {metric} |"));
        let rules = "--:|".repeat(group.columns.len());
        out.push_str(&format!(
            "### {}\n\n| | benchmark |{} where |\n|---|---|{rules}:--|\n",
            group.group.title(),
            names.collect::<String>()
        ));
        for row in shown {
            out.push_str(&self.group_row(row));
        }
        self.more(out, more, "benchmarks");
        out.push('\n');
        // The piece of source behind the place that changed most.
        let firsts = shown.iter().filter_map(|row| row.places.first());
        let firsts: Vec<ToldPlace<'_>> = firsts.cloned().collect();
        for hunk in places::hunks(&firsts, shown.len()) {
            self.hunk(hunk, out);
        }
    }

    fn group_row(&self, row: &GroupRow<'_>) -> String {
        let (shown, more) = split(&row.places, PLACES);
        let mut places: Vec<String> = shown.iter().map(|place| self.text(&place.text)).collect();
        if more > 0 {
            places.push(format!("{more} more"));
        }
        format!(
            "| {} {} | {} | {} | {} |\n",
            metrics::symbol(row.direction, Charset::Unicode),
            row.word,
            self.code(&row.subject),
            row.cells.join(" | "),
            places.join("<br>"),
        )
    }
}
