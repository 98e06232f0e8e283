//! The markdown as GitHub shows it: rendered by comrak, a port of GitHub's own renderer.

use cargo_perfcheck::plan::Format;
use cargo_perfcheck::units::Paired;
use comrak::{Options, markdown_to_html};

use super::{cases, render};

pub(super) fn html(markdown: &str) -> String {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    // GitHub renders raw HTML and sanitises it afterwards.
    options.render.r#unsafe = true;
    markdown_to_html(markdown, &options)
}

#[test]
fn every_row_of_every_table_has_as_many_cells_as_its_heading() {
    for (name, report) in cases::all() {
        let html = html(&render(&report, Format::Markdown));
        for table in html.split("<table>").skip(1) {
            let table = table.split("</table>").next().expect("a table ends");
            let cells = table.matches("<th").count() - table.matches("<thead").count();
            for row in table.split("<tr>").skip(2) {
                assert_eq!(row.matches("<td").count(), cells, "{name}: {row}");
            }
        }
    }
}

#[test]
fn no_fence_fold_or_tag_stays_open_to_the_end() {
    for (name, report) in cases::all() {
        let html = html(&render(&report, Format::Markdown));
        // What ends a report is a paragraph of its own, outside of everything before.
        let end = html.trim_end().rsplit('\n').next().unwrap_or_default();
        assert!(end.starts_with("<p><sub>cargo-perfcheck"), "{name}: {end}");
        for tag in ["details", "pre", "table"] {
            let opened = html.matches(&format!("<{tag}>")).count()
                + html.matches(&format!("<{tag} ")).count();
            assert_eq!(
                opened,
                html.matches(&format!("</{tag}>")).count(),
                "{name}: {tag}"
            );
        }
    }
}

#[test]
fn every_benchmark_of_a_report_that_fits_stands_in_a_row() {
    let report = cases::fifty_regressions();
    let html = html(&render(&report, Format::Markdown));
    for benchmark in &report.benchmarks {
        assert!(
            html.contains(&format!("<code>{}</code>", benchmark.key.id)),
            "{}",
            benchmark.key.id
        );
    }
    assert!(html.contains("<h2>"), "headings are headings");
    assert_eq!(html.matches("<h3>").count(), 2, "{html}");
}

#[test]
fn nothing_hostile_becomes_markup() {
    let html = html(&render(&cases::hostile(), Format::Markdown));
    assert!(!html.contains("<img"), "{html}");
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("href=\"javascript"), "{html}");
    assert!(!html.contains("<strong>bold</strong>"), "{html}");
    // GitHub looks for mentions everywhere but in code.
    let prose: Vec<&str> = html
        .split("<code")
        .map(|part| part.rsplit("</code>").next().unwrap_or(part))
        .collect();
    assert!(!prose.concat().contains("@all"), "{prose:#?}");
    // The names are there in full.
    assert!(
        html.contains("&lt;img src=x onerror=alert(1)&gt;"),
        "{html}"
    );
}

#[test]
fn the_environment_names_who_chose_the_toolchain_and_where_builds_lay() {
    let mut report = cases::demo();
    let chosen = "nightly, chosen on the command line".to_owned();
    report.environment.toolchain = Some(Paired::new(chosen.clone(), chosen));
    report.environment.place = Some("builds lie in /var/tmp/ours".to_owned());
    for format in [Format::Markdown, Format::Html] {
        let text = render(&report, format);
        assert!(
            text.contains("nightly, chosen on the command line"),
            "{format:?}"
        );
        assert!(text.contains("builds lie in /var/tmp/ours"), "{format:?}");
    }
}
