//! The tables of metrics other than time that changed, and the places behind each change.

use super::paint::Tone;
use super::table::{self, Align, Cell, Column, Row};
use super::{NARROW, TextPage};
use crate::analyse::Direction;
use crate::report::escape::shortened;
use crate::report::group_tables::{self, GroupRow, GroupTable};
use crate::report::{metrics, words};
use crate::units::{Metric, Prominence};

/// Places of one benchmark.
const PLACES: usize = 3;
/// The most benchmarks of a table on a screen, those that grew first.
const ROWS: usize = 8;

impl TextPage<'_> {
    pub(super) fn beside_time(&self, out: &mut String) {
        for group in group_tables::tables(self.report, self.naming) {
            if !group.rows.is_empty() {
                let listed = &group.rows[..group.rows.len().min(self.most(ROWS))];
                out.push_str(&self.group_table(&group, listed));
                if group.rows.len() > listed.len() {
                    let more = words::benchmarks(group.rows.len() - listed.len());
                    let text = format!("… {more} more; `--verbose` lists them\n");
                    out.push_str(&self.paint(&text, Tone::Quiet));
                }
                // Nobody needs to investigate what was saved.
                let followed =
                    |row: &&GroupRow<'_>| !self.is_screen() || row.direction == Direction::More;
                for row in listed.iter().filter(followed) {
                    self.places(out, row);
                }
            }
            if let Some(rest) = &group.rest {
                let text = format!("{}: {rest}", group.group.name());
                out.push_str(&self.block(&text, 0, Tone::Quiet));
            }
            out.push('\n');
        }
    }

    fn group_table(&self, group: &GroupTable<'_>, listed: &[GroupRow<'_>]) -> String {
        if self.options.width < NARROW {
            let block = |row: &GroupRow<'_>| {
                let verdict = self.paint(&self.group_verdict(row), tone(row));
                let cells = group.columns.iter().zip(&row.cells);
                let leads = cells.filter(|(metric, _)| metric.prominence == Prominence::Lead);
                let told: Vec<String> = leads
                    .map(|(metric, cell)| format!("{metric} {cell}"))
                    .collect();
                format!("{verdict}  {}\n  {}\n", row.subject, told.join(", "))
            };
            return listed.iter().map(block).collect();
        }
        let rows: Vec<Row> = listed.iter().map(|row| self.group_row(row)).collect();
        let columns = columns(&group.columns);
        table::layout(&columns, &rows, self.options.width, self.options.colour)
    }

    fn group_verdict(&self, row: &GroupRow<'_>) -> String {
        let symbol = metrics::symbol(row.direction, self.options.charset);
        format!("{symbol} {}", row.word)
    }

    fn group_row(&self, row: &GroupRow<'_>) -> Row {
        let most = self.options.width.saturating_sub(16).max(24);
        let names = [
            Cell::new(self.group_verdict(row), tone(row)),
            Cell::new(shortened(&row.subject, most), Tone::Normal),
        ];
        let cells = row.cells.iter().enumerate().map(|(place, cell)| {
            let tone = if place == 0 { tone(row) } else { Tone::Normal };
            Cell::new(cell, tone)
        });
        let cells = names.into_iter().chain(cells);
        Row {
            cells: cells.map(|cell| self.drawable(cell)).collect(),
        }
    }

    fn places(&self, out: &mut String, row: &GroupRow<'_>) {
        let most = self.most(1).min(PLACES);
        for place in row.places.iter().take(most) {
            let text = format!("{}: {}", row.subject, place.text);
            out.push_str(&self.block(&text, 2, Tone::Normal));
        }
        if row.places.len() > most && !self.is_screen() {
            let more = row.places.len() - most;
            let text = format!("{}: {more} more places, in the JSON report", row.subject);
            out.push_str(&self.block(&text, 2, Tone::Quiet));
        }
    }
}

/// If there is no room, the lead metrics of the group are dropped last, and its first metric never.
fn columns(metrics: &[Metric]) -> Vec<Column> {
    let names = ["", ""].map(|name| Column::new(name, Align::Left, None));
    let metrics = (0u8..).zip(metrics).map(|(place, metric)| {
        let gives_way = match metric.prominence {
            Prominence::Lead => (place > 0).then_some(u8::MAX),
            _ => Some(place),
        };
        Column::new(metric.name, Align::Right, gives_way)
    });
    names.into_iter().chain(metrics).collect()
}

fn tone(row: &GroupRow<'_>) -> Tone {
    match row.direction {
        Direction::More => Tone::Bad,
        Direction::Fewer => Tone::Good,
        Direction::Same => Tone::Quiet,
    }
}
