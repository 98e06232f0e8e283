//! The table of budgets.

use super::paint::Tone;
use super::table::{self, Align, Cell, Column, Row};
use super::{NARROW, TextPage};
use crate::judge::BudgetStatus;
use crate::report::budgets::{self, Line};
use crate::report::escape::shortened;

/// The most budgets within their limits that are listed on a screen.
const KEPT_ROWS: usize = 3;

impl TextPage<'_> {
    pub(super) fn budgets(&self, out: &mut String) {
        let lines = budgets::lines(self.report, self.naming);
        if lines.is_empty() {
            return;
        }
        let is_kept = |line: &&Line| tone(line.status) == Tone::Quiet;
        let kept = lines.iter().filter(is_kept).count();
        let hidden = kept.saturating_sub(self.most(KEPT_ROWS));
        let shown = &lines[..lines.len() - hidden];
        if self.options.width < NARROW {
            for line in shown {
                let status = self.paint(&self.status(line), tone(line.status));
                out.push_str(&format!("{status}  {}\n", self.whose(line)));
                out.push_str(&format!("  {}  {}  {}\n", line.limit, line.head, line.used));
            }
        } else {
            let rows: Vec<Row> = shown.iter().map(|line| self.budget_row(line)).collect();
            let laid = table::layout(&columns(), &rows, self.options.width, self.options.colour);
            out.push_str(&laid);
        }
        if hidden > 0 {
            let text = format!("… {hidden} more, kept; `--verbose` lists them\n");
            out.push_str(&self.paint(&text, Tone::Quiet));
        }
        out.push('\n');
    }

    fn status(&self, line: &Line) -> String {
        let symbol = budgets::symbol(line.status, self.options.charset);
        format!("{symbol} {}", line.status.name())
    }

    fn whose(&self, line: &Line) -> String {
        let most = self.options.width.saturating_sub(16).max(24);
        shortened(&line.subject, most)
    }

    fn budget_row(&self, line: &Line) -> Row {
        let tone = tone(line.status);
        let note = shortened(&line.note, 60);
        let cells = vec![
            Cell::new(self.status(line), tone),
            Cell::new(self.whose(line), Tone::Normal),
            Cell::new(&line.limit, Tone::Normal),
            Cell::new(&line.base, Tone::Quiet),
            Cell::new(&line.head, Tone::Normal),
            Cell::new(&line.used, tone),
            Cell::new(note, Tone::Quiet),
        ];
        let cells = cells.into_iter().map(|cell| self.drawable(cell));
        Row {
            cells: cells.collect(),
        }
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("", Align::Left, None),
        Column::new("whose", Align::Left, None),
        Column::new("budget", Align::Left, None),
        Column::new("base", Align::Right, Some(2)),
        Column::new("head", Align::Right, None),
        Column::new("used", Align::Right, None),
        Column::new("", Align::Left, Some(1)),
    ]
}

fn tone(status: BudgetStatus) -> Tone {
    match status {
        BudgetStatus::Over => Tone::Bad,
        BudgetStatus::Investigate | BudgetStatus::Unknown => Tone::Doubt,
        BudgetStatus::Within | BudgetStatus::Unmeasured => Tone::Quiet,
    }
}
