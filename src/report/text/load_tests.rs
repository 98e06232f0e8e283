//! The tests of services under load.

use super::paint::Tone;
use super::table::{self, Align, Cell, Column, Row};
use super::{NARROW, TextPage};
use crate::report::load_tests::{self, TestTable};

impl TextPage<'_> {
    pub(super) fn load_tests(&self, out: &mut String) {
        for section in load_tests::sections(self.report) {
            let title = format!("{}: {}", section.subject, section.what);
            out.push_str(&self.block(&title, 0, Tone::Heading));
            out.push_str(&self.test_table(&section.table));
            for remark in &section.remarks {
                out.push_str(&self.block(remark, 0, Tone::Normal));
            }
            if let Some(detail) = section.detail.filter(|_| !self.is_screen()) {
                out.push_str(&self.block(&detail.title, 0, Tone::Heading));
                out.push_str(&self.test_table(&detail.table));
            }
            out.push('\n');
        }
    }

    fn test_table(&self, table: &TestTable) -> String {
        if self.options.width < NARROW {
            let line = |row: &Vec<String>| self.block(&row.join(", "), 0, Tone::Normal);
            return table.rows.iter().map(line).collect();
        }
        let columns = table.headings.iter().enumerate().map(|(place, heading)| {
            // What a test is about is never left out.
            let gives_way = u8::try_from(place).ok().filter(|place| *place > 1);
            Column::new(heading, Align::Left, gives_way.map(|place| u8::MAX - place))
        });
        let columns: Vec<Column> = columns.collect();
        let rows = table.rows.iter().map(|row| {
            let cells = row.iter().map(|cell| Cell::new(cell, Tone::Normal));
            Row {
                cells: cells.map(|cell| self.drawable(cell)).collect(),
            }
        });
        let rows: Vec<Row> = rows.collect();
        table::layout(&columns, &rows, self.options.width, self.options.colour)
    }
}
