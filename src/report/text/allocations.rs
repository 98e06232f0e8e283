//! The table of changed allocations, and the places behind each.

use super::paint::Tone;
use super::table::{self, Align, Cell, Column, Row};
use super::{NARROW, TextPage};
use crate::analyse::AllocationVerdict;
use crate::report::allocations::{self, AllocationChange};
use crate::report::escape::shortened;

/// Places of one benchmark; the other formats have more.
const PLACES: usize = 3;

impl TextPage<'_> {
    pub(super) fn allocations(&self, out: &mut String) {
        let changes = allocations::changes(self.report, self.naming);
        let rest = allocations::rest(self.report);
        if changes.is_empty() && rest.is_none() {
            return;
        }
        if !changes.is_empty() {
            out.push_str(&self.allocation_table(&changes));
            for change in &changes {
                self.places(out, change);
            }
        }
        if let Some(rest) = rest {
            let text = format!("allocations: {rest}");
            out.push_str(&self.block(&text, 0, Tone::Quiet));
        }
        out.push('\n');
    }

    fn allocation_table(&self, changes: &[AllocationChange]) -> String {
        if self.options.width < NARROW {
            let block = |change: &AllocationChange| {
                let verdict = self.paint(&self.allocation_verdict(change), tone(change));
                format!(
                    "{verdict}  {}\n  {} allocations, {}\n",
                    change.subject, change.count, change.bytes
                )
            };
            return changes.iter().map(block).collect();
        }
        let rows: Vec<Row> = changes
            .iter()
            .map(|change| self.allocation_row(change))
            .collect();
        table::layout(&columns(), &rows, self.options.width, self.options.colour)
    }

    fn allocation_verdict(&self, change: &AllocationChange) -> String {
        let symbol = allocations::symbol(change.verdict, self.options.charset);
        format!("{symbol} {}", allocations::word(change))
    }

    fn allocation_row(&self, change: &AllocationChange) -> Row {
        let most = self.options.width.saturating_sub(16).max(24);
        let cells = vec![
            Cell::new(self.allocation_verdict(change), tone(change)),
            Cell::new(shortened(&change.subject, most), Tone::Normal),
            Cell::new(&change.count, tone(change)),
            Cell::new(&change.reallocations, Tone::Normal),
            Cell::new(&change.bytes, Tone::Normal),
            Cell::new(&change.peak, Tone::Normal),
        ];
        let cells = cells.into_iter().map(|cell| self.drawable(cell));
        Row {
            cells: cells.collect(),
        }
    }

    fn places(&self, out: &mut String, change: &AllocationChange) {
        for place in change.places.iter().take(PLACES) {
            let text = format!("{}: {place}", change.subject);
            out.push_str(&self.block(&text, 2, Tone::Normal));
        }
        if change.places.len() > PLACES {
            let more = change.places.len() - PLACES;
            let text = format!("{}: {more} more places, in the JSON report", change.subject);
            out.push_str(&self.block(&text, 2, Tone::Quiet));
        }
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("", Align::Left, None),
        Column::new("", Align::Left, None),
        Column::new("allocations", Align::Right, None),
        Column::new("reallocations", Align::Right, Some(1)),
        Column::new("bytes", Align::Right, Some(3)),
        Column::new("peak", Align::Right, Some(2)),
    ]
}

fn tone(change: &AllocationChange) -> Tone {
    match change.verdict {
        AllocationVerdict::More => Tone::Bad,
        AllocationVerdict::Fewer => Tone::Good,
        AllocationVerdict::Same => Tone::Quiet,
    }
}
