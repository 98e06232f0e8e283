//! Every format, from reports that a builder writes down.

pub(crate) mod browser;
mod builder;
mod cases;
mod github_markdown;
mod html;
mod machines;
mod merging;

use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::{self, RenderOptions, Report};
use cargo_perfcheck::units::{Charset, Colour};

fn render(report: &Report, format: Format) -> String {
    report::render(report, format, &RenderOptions::FILE).expect("the report can be rendered")
}

fn text(report: &Report, width: usize, colour: Colour, charset: Charset) -> String {
    let options = RenderOptions {
        width,
        colour,
        charset,
    };
    report::render(report, Format::Text, &options).expect("the report can be rendered")
}

/// Not the thousand: its snapshot would be read by nobody.
fn readable() -> impl Iterator<Item = (&'static str, Report)> {
    cases::all()
        .into_iter()
        .filter(|(name, _)| *name != "thousand")
}

#[test]
fn text_shows_what_changed_at_a_glance() {
    for (name, report) in readable() {
        insta::assert_snapshot!(
            format!("text_{name}"),
            text(&report, 120, Colour::Never, Charset::Unicode)
        );
    }
}

#[test]
fn text_gives_way_on_narrow_terminals() {
    for width in [40, 64, 80] {
        let shown = text(
            &cases::one_regression(),
            width,
            Colour::Never,
            Charset::Unicode,
        );
        insta::assert_snapshot!(format!("text_width_{width}"), shown);
    }
}

#[test]
fn text_in_ascii_and_in_colour_says_the_same() {
    let report = cases::one_regression();
    let ascii = text(&report, 120, Colour::Never, Charset::Ascii);
    assert!(ascii.is_ascii(), "{ascii}");
    insta::assert_snapshot!("text_ascii", ascii);
    let plain = text(&report, 120, Colour::Never, Charset::Unicode);
    let coloured = text(&report, 120, Colour::Ansi, Charset::Unicode);
    assert_ne!(coloured, plain);
    assert_eq!(without_escapes(&coloured), plain);
}

fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        out.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("a colour ends");
        rest = &rest[start + end + 1..];
    }
    out + rest
}

#[test]
fn text_of_a_thousand_benchmarks_ends_with_the_vote() {
    let shown = text(&cases::thousand(), 120, Colour::Never, Charset::Unicode);
    assert!(
        shown
            .lines()
            .rev()
            .take(2)
            .any(|line| line.starts_with("REJECT")),
        "{shown}"
    );
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn no_text_lets_a_name_reach_the_terminal() {
    let shown = text(&cases::hostile(), 120, Colour::Never, Charset::Unicode);
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
        "{shown}"
    );
}

#[test]
fn markdown_reads_well_under_a_pull_request() {
    for (name, report) in readable() {
        insta::assert_snapshot!(
            format!("markdown_{name}"),
            render(&report, Format::Markdown)
        );
    }
}

#[test]
fn markdown_fits_into_a_comment_whatever_the_report() {
    let mut cases = cases::all();
    cases.push(("everything_hostile", many_hostile()));
    for (name, report) in cases {
        let shown = render(&report, Format::Markdown);
        let length = shown.encode_utf16().count();
        assert!(length <= 65_536, "{name}: {length}");
        assert!(shown.starts_with(report::MARKDOWN_MARKER), "{name}");
        assert_eq!(
            shown.matches("<details>").count(),
            shown.matches("</details>").count(),
            "{name}"
        );
        assert!(shown.trim_end().ends_with("</sub>"), "{name} was cut");
    }
}

/// Three thousand benchmarks with every trick in each name, all of them failed.
fn many_hostile() -> Report {
    let mut report = cases::hostile();
    let two = report.benchmarks[..2].to_vec();
    report.benchmarks = two.into_iter().cycle().take(3000).collect();
    report.warnings = vec![builder::HOSTILE.repeat(100); 500];
    report.reasons = report.warnings.clone();
    report.range.base.subject = builder::HOSTILE.repeat(1000);
    report.methodology.command_line = report.warnings.clone();
    report.methodology.order = builder::HOSTILE.repeat(1000);
    report
}

#[test]
fn json_holds_to_its_schema() {
    let validator = schema();
    for (name, report) in cases::all() {
        let shown = render(&report, Format::Json);
        let value: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let again: Report = serde_json::from_value(value).expect("the report reads its own JSON");
        assert_eq!(again, report, "{name}");
    }
}

#[test]
fn the_schema_refuses_a_verdict_without_its_interval() {
    let shown = render(&cases::one_regression(), Format::Json);
    let mut value: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    value["benchmarks"][1]["time"]["change"] = serde_json::Value::Null;
    assert!(!schema().is_valid(&value));
}

fn schema() -> jsonschema::Validator {
    let text = fs_err::read_to_string("schemas/report.v1.json").expect("the schema is committed");
    let schema = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a valid schema")
}

#[test]
fn a_step_summary_shows_more_than_a_comment_may() {
    let report = cases::thousand();
    let summary = render(&report, Format::GithubSummary);
    assert!(summary.len() <= 1 << 20);
    assert!(summary.len() > render(&report, Format::Markdown).len());
}

/// Published versions of the format stay readable; these files are never edited.
#[test]
fn recorded_reports_of_every_published_version_are_still_read() {
    let mut read = 0;
    for entry in fs_err::read_dir("fixtures/reports").expect("recorded reports") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "json") {
            let report =
                report::load(&path).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
            for format in <Format as clap::ValueEnum>::value_variants() {
                assert!(!render(&report, *format).is_empty());
            }
            read += 1;
        }
    }
    assert!(read > 0);
}

/// Writes a file as version 1 has it; run it by hand when a new version is published.
#[test]
#[ignore = "writes a recorded report; recorded ones are never edited"]
fn record_a_report() {
    let mut report = cases::one_regression();
    report
        .benchmarks
        .extend(cases::failed_added_removed().benchmarks);
    let path = format!("fixtures/reports/v{}.json", report::SCHEMA_VERSION);
    fs_err::write(path, render(&report, Format::Json)).expect("it can be written");
}
