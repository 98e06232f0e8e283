//! The tests of services under load.

use super::detail::split;
use super::escape::words as plain;
use super::sections::{Page, fold};
use crate::report::load_tests::{self, TestTable};

impl Page<'_> {
    pub(super) fn load_tests(&self, out: &mut String) {
        let all = load_tests::sections(self.report);
        let (shown, more) = split(&all, self.detail.list);
        for section in shown {
            out.push_str(&format!(
                "### {}: {}\n\n",
                self.code(&section.subject),
                self.text(&section.what)
            ));
            out.push_str(&self.test_table(&section.table, usize::MAX));
            out.push('\n');
            for remark in &section.remarks {
                out.push_str(&format!("- {}\n", self.text(remark)));
            }
            if !section.remarks.is_empty() {
                out.push('\n');
            }
            if let Some(detail) = section.detail.as_ref().filter(|_| self.detail.quiet > 0) {
                let title = format!("{}: {}", plain(&section.subject), self.text(&detail.title));
                fold(
                    out,
                    &title,
                    &self.test_table(&detail.table, self.detail.quiet),
                );
            }
        }
        self.more(out, more, "tests");
    }

    fn test_table(&self, table: &TestTable, most: usize) -> String {
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = row(table
            .headings
            .iter()
            .map(|heading| plain(heading))
            .collect());
        out.push_str(&row(table
            .headings
            .iter()
            .map(|_| "---".to_owned())
            .collect()));
        for cells in table.rows.iter().take(most) {
            out.push_str(&row(cells.iter().map(|cell| self.text(cell)).collect()));
        }
        out
    }
}
