//! The table of changed allocations, and the places behind each.

use super::detail::split;
use super::escape::words as plain;
use super::sections::Page;
use crate::report::allocations::{self, AllocationChange};
use crate::units::Charset;

/// Places of one benchmark; the JSON report has them all.
const PLACES: usize = 3;

impl Page<'_> {
    pub(super) fn allocations(&self, out: &mut String) {
        let changes = allocations::changes(self.report, self.naming);
        let rest = allocations::rest(self.report);
        if !changes.is_empty() {
            let (shown, more) = split(&changes, self.detail.changed);
            out.push_str("### Allocations per iteration\n\n");
            out.push_str("| | benchmark | allocations | reallocations | bytes | peak | where |\n|---|---|--:|--:|--:|--:|:--|\n");
            for change in shown {
                out.push_str(&self.allocation_row(change));
            }
            self.more(out, more, "benchmarks");
            out.push('\n');
        }
        if let Some(rest) = rest {
            out.push_str(&format!("Allocations: {}.\n\n", plain(&rest)));
        }
    }

    fn allocation_row(&self, change: &AllocationChange) -> String {
        let (shown, more) = split(&change.places, PLACES);
        let mut places: Vec<String> = shown.iter().map(|place| self.text(place)).collect();
        if more > 0 {
            places.push(format!("{more} more"));
        }
        format!(
            "| {} {} | {} | {} | {} | {} | {} | {} |\n",
            allocations::symbol(change.verdict, Charset::Unicode),
            allocations::word(change),
            self.code(&change.subject),
            change.count,
            change.reallocations,
            change.bytes,
            change.peak,
            places.join("<br>"),
        )
    }
}
