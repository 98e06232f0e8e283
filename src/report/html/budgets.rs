//! The table of budgets.

use maud::{Markup, html};

use crate::report::Report;
use crate::report::budgets;
use crate::report::words::Naming;
use crate::units::Charset;

pub(super) fn budgets(report: &Report) -> Markup {
    let lines = budgets::lines(report, Naming::of(report));
    html! {
        @if !lines.is_empty() {
            section aria-labelledby="budgets" {
                h2 id="budgets" { "Budgets" }
                p.soft { (budgets::tally(report)) "." }
                div.scroll tabindex="0" role="region" aria-label="Budgets" { table.budgets {
                    thead { tr {
                        th scope="col" { "status" } th scope="col" { "whose" } th scope="col" { "budget" }
                        th scope="col" { "base" } th scope="col" { "head" } th scope="col" { "used" }
                    } }
                    tbody {
                        @for line in lines {
                            tr class=(line.status.name()) {
                                th scope="row" { (budgets::symbol(line.status, Charset::Unicode)) " " (line.status.name()) }
                                td.name { (line.subject) }
                                td { (line.limit) @if !line.note.is_empty() { " " span.soft { (line.note) } } }
                                td { (line.base) } td { (line.head) } td { (line.used) }
                            }
                        }
                    }
                } }
            }
        }
    }
}
