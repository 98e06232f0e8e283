//! The table of budgets.

use super::detail::split;
use super::escape::words as plain;
use super::sections::{Page, fold};
use crate::judge::BudgetStatus;
use crate::report::budgets::{self, Line};
use crate::units::Charset;

impl Page<'_> {
    pub(super) fn budgets(&self, out: &mut String) {
        let lines = budgets::lines(self.report, self.naming);
        if lines.is_empty() {
            return;
        }
        let is_grave =
            |line: &Line| !matches!(line.status, BudgetStatus::Within | BudgetStatus::Unmeasured);
        let (grave, kept): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(is_grave);
        if !grave.is_empty() {
            let (shown, more) = split(&grave, self.detail.changed);
            out.push_str("### Budgets\n\n");
            out.push_str(&self.budget_table(shown));
            self.more(out, more, "budgets");
            out.push('\n');
        }
        if !kept.is_empty() {
            let (shown, more) = split(&kept, self.detail.quiet);
            let mut body = match shown {
                [] => String::new(),
                shown => self.budget_table(shown),
            };
            self.more(&mut body, more, "budgets");
            fold(
                out,
                &format!("Budgets: {}", budgets::tally(self.report)),
                &body,
            );
        }
    }

    fn budget_table(&self, lines: &[Line]) -> String {
        let mut out =
            "| | whose | budget | base | head | used |\n|---|---|:--|--:|--:|--:|\n".to_owned();
        for line in lines {
            let note = match line.note.as_str() {
                "" => String::new(),
                note => format!(" ({})", self.text(note)),
            };
            out.push_str(&format!(
                "| {} {} | {} | {}{note} | {} | {} | {} |\n",
                budgets::symbol(line.status, Charset::Unicode),
                line.status.name(),
                self.code(&line.subject),
                plain(&line.limit),
                line.base,
                line.head,
                line.used,
            ));
        }
        out
    }
}
