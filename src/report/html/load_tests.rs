//! The tests of services under load.

use maud::{Markup, html};

use super::curves;
use crate::report::Report;
use crate::report::load_tests::{self, TestTable};

pub(super) fn load_tests(report: &Report) -> Markup {
    let sections = load_tests::sections(report);
    html! {
        @if !sections.is_empty() {
            section aria-labelledby="load-tests" {
                h2 id="load-tests" { "Tests under load" }
                @for section in sections {
                    h3 { code { (section.subject) } ": " (section.what) }
                    (table(&section.subject, &section.table))
                    @if !section.remarks.is_empty() {
                        ul { @for remark in &section.remarks { li { (remark) } } }
                    }
                    @if let Some(plot) = section.plot.as_ref().and_then(curves::curves) { (plot) }
                    @if let Some(detail) = &section.detail {
                        details {
                            summary { (detail.title) }
                            (table(&detail.title, &detail.table))
                        }
                    }
                }
            }
        }
    }
}

fn table(label: &str, table: &TestTable) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) { table {
            thead { tr { @for heading in &table.headings { th scope="col" { (heading) } } } }
            tbody {
                @for row in &table.rows {
                    tr { @for cell in row { td { (cell) } } }
                }
            }
        } }
    }
}
