//! Budgets in the words that every renderer for people shares.

use super::Report;
use super::escape::visible;
use super::percentiles;
use super::words::Naming;
use crate::judge::{BudgetCheck, BudgetStatus, BudgetSubject};
use crate::units::{Charset, Form};

/// One budget as a line of a table: printable, but not yet escaped for any markup.
pub(super) struct Line {
    pub(super) status: BudgetStatus,
    pub(super) subject: String,
    /// `p95 of means of 124 iterations ≤ 3 ms`.
    pub(super) limit: String,
    pub(super) base: String,
    pub(super) head: String,
    /// `82 %`.
    pub(super) used: String,
    pub(super) note: String,
}

/// Every budget, the most severe first.
pub(super) fn lines(report: &Report, naming: Naming) -> Vec<Line> {
    report.budgets.iter().map(|b| line(b, naming)).collect()
}

/// The line above the table: how many budgets have each status.
pub(super) fn tally(report: &Report) -> String {
    let order = [
        BudgetStatus::Over,
        BudgetStatus::Investigate,
        BudgetStatus::Unknown,
        BudgetStatus::Within,
        BudgetStatus::Unmeasured,
    ];
    let count = |status| report.budgets.iter().filter(|b| b.status == status).count();
    let parts: Vec<String> = order
        .into_iter()
        .map(|status| (count(status), status))
        .filter(|(n, _)| *n > 0)
        .map(|(n, status)| format!("{n} {}", status.name()))
        .collect();
    parts.join(", ")
}

/// The status as one column.
pub(super) fn symbol(status: BudgetStatus, charset: Charset) -> &'static str {
    let (unicode, ascii) = match status {
        BudgetStatus::Over => ("✗", "x"),
        BudgetStatus::Investigate => ("!", "!"),
        BudgetStatus::Unknown => ("?", "?"),
        BudgetStatus::Within => ("✓", "="),
        BudgetStatus::Unmeasured => ("≡", "="),
    };
    match charset {
        Charset::Unicode => unicode,
        Charset::Ascii => ascii,
    }
}

fn line(check: &BudgetCheck, naming: Naming) -> Line {
    let amount = |amount: Option<f64>| amount.map_or(String::new(), |a| check.metric.unit.show(a));
    Line {
        status: check.status,
        subject: subject(check, naming),
        limit: limit(check),
        base: amount(check.base),
        head: amount(check.head),
        used: used(check),
        note: check.note.as_deref().map(visible).unwrap_or_default(),
    }
}

/// Whose budget it is.
pub(super) fn subject(check: &BudgetCheck, naming: Naming) -> String {
    match &check.subject {
        BudgetSubject::Benchmark(key) => naming.name(key),
        BudgetSubject::Binary { name, .. } => format!("binary {}", visible(name)),
    }
}

/// One budget in one sentence without its name.
pub(super) fn summary(check: &BudgetCheck) -> String {
    let status = match check.status {
        BudgetStatus::Over => "budget exceeded",
        BudgetStatus::Investigate => "budget to investigate",
        BudgetStatus::Unknown => "budget not checked",
        BudgetStatus::Within => "budget kept",
        BudgetStatus::Unmeasured => "budget not measured",
    };
    let used = match check.head {
        Some(head) => format!(": {} ({})", check.metric.unit.show(head), used(check)),
        None => String::new(),
    };
    let note = check.note.as_deref().map(visible);
    let note = note.map_or(String::new(), |note| format!("; {note}"));
    format!("{status}: {}{used}{note}", limit(check))
}

/// What is limited, under its full name: `p95 of means of 124 iterations`, `allocations`.
pub(super) fn metric(check: &BudgetCheck) -> String {
    match check.metric.form {
        Form::Percentile => {
            let of = percentiles::of(check.iterations_per_sample);
            format!("{} of {of}", check.metric)
        }
        Form::Sum | Form::Level => check.metric.to_string(),
    }
}

fn limit(check: &BudgetCheck) -> String {
    let limit = check.metric.unit.show_typed(check.limit);
    format!("{} {} {limit}", metric(check), check.metric.relation())
}

/// The share of the limit that is used, never rounded to 100 % from either side.
fn used(check: &BudgetCheck) -> String {
    let Some(used) = check.used else {
        return String::new();
    };
    let percent = used * 100.0;
    let decimals = match percent {
        p if (99.0..101.0).contains(&p) && p != 100.0 => 2,
        p if p < 10.0 => 1,
        _ => 0,
    };
    format!("{percent:.decimals$} %")
}
