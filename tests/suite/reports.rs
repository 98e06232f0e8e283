//! Every format, from reports that a builder writes down.

pub(crate) mod browser;
mod builder;
mod cases;
mod github_markdown;
mod html;
mod json;
mod machines;
mod merging;
mod pictures;

use cargo_perfcheck::analyse::Comparison;
use cargo_perfcheck::judge::{Decision, Reason, Vote};
use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::{self, RenderOptions, Report, TextLength};
use cargo_perfcheck::units::{Charset, Colour, Metric};

fn render(report: &Report, format: Format) -> String {
    report::render(report, format, &RenderOptions::FILE).expect("the report can be rendered")
}

fn text(report: &Report, width: usize, colour: Colour, charset: Charset) -> String {
    let options = RenderOptions {
        width,
        colour,
        charset,
        length: TextLength::Screen,
    };
    report::render(report, Format::Text, &options).expect("the report can be rendered")
}

/// Without the report of a thousand benchmarks: `in_short` records what a reader sees of that.
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
fn verbose_text_has_everything() {
    for (name, report) in readable() {
        let whole = render(&report, Format::Text);
        insta::assert_snapshot!(format!("text_{name}_verbose"), shown(name, &whole));
    }
}

/// The demo plants one of everything; an ordinary change has far fewer findings.
#[test]
fn an_ordinary_result_fits_on_one_screen_and_all_that_the_demo_plants_nearly_does() {
    for (name, report) in readable() {
        let most = match name {
            "demo" => 64,
            // Its names are longer than any line.
            "hostile" => continue,
            _ => 45,
        };
        let lines = text(&report, 100, Colour::Never, Charset::Unicode);
        let count = lines.lines().count();
        assert!(count <= most, "{name} has {count} lines:\n{lines}");
    }
}

#[test]
fn a_cause_has_at_most_twelve_lines_on_a_screen_and_no_hunk_twice() {
    let shown = text(&cases::demo(), 100, Colour::Never, Charset::Unicode);
    let causes: Vec<&str> = shown
        .split("\n\n")
        .filter(|part| part.starts_with("why "))
        .collect();
    assert!(causes.len() >= 3, "{shown}");
    for cause in &causes {
        assert!(cause.lines().count() <= 12, "{cause}");
    }
    let added = "+     for &byte in &block[block.len() / 2..] {";
    assert_eq!(shown.matches(added).count(), 1, "{shown}");
    let removed = "-     let fields: Vec<String> = line";
    let whole = render(&cases::demo(), Format::Text);
    assert_eq!(whole.matches(removed).count(), 1, "{whole}");
}

#[test]
fn a_brief_report_has_the_vote_and_less_than_two_thousand_characters() {
    for (name, report) in cases::all() {
        let brief = render(&report, Format::Brief);
        let vote = brief.split(':').next();
        assert!(matches!(vote, Some("approve" | "modify" | "reject")));
        assert!(brief.chars().count() < 2_000, "{name}: {brief}");
    }
    let demo = render(&cases::demo(), Format::Brief);
    for told in [
        "in readings::checksum::checksum at crates/readings/src/checksum.rs:10",
        "+    for &byte in &block[block.len() / 2..] {",
        "$ cargo perfcheck demo --seed 3277143327 --filter '^checksum/4 KiB$'",
    ] {
        assert!(demo.contains(told), "{demo}");
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
fn no_line_of_text_is_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr as _;
    for width in [60, 80, 100, 160] {
        let shown = text(&cases::demo(), width, Colour::Never, Charset::Unicode);
        // A command stays one line, so that it can be copied, and so does what a benchmark wrote.
        let is_quoted = |line: &&str| {
            let indent = line.len() - line.trim_start().len();
            line.starts_with("reproduce: ") || indent == 4
        };
        for line in shown.lines().filter(|line| !is_quoted(line)) {
            assert!(line.width() <= width, "{width}: {line}");
        }
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

/// The first and last lines, since nobody reads a thousand, and how many lie between.
fn in_short(text: &str) -> String {
    const ENDS: usize = 30;
    let lines: Vec<&str> = text.lines().collect();
    let left_out = lines.len().saturating_sub(2 * ENDS);
    if left_out == 0 {
        return text.to_owned();
    }
    let first = &lines[..ENDS];
    let last = &lines[lines.len() - ENDS..];
    [first, &[&format!("({left_out} more lines)")], last]
        .concat()
        .join("\n")
}

/// What is recorded of a case: for many similar lines, the ends only.
fn shown(name: &str, text: &str) -> String {
    match name {
        "fifty_regressions" => in_short(text),
        _ => text.to_owned(),
    }
}

#[test]
fn a_thousand_benchmarks_begin_and_end_well_in_every_format() {
    let report = cases::thousand();
    for format in <Format as clap::ValueEnum>::value_variants() {
        // The page's lines are its style; what it shows has tests in a browser.
        if *format != Format::Html {
            insta::assert_snapshot!(
                format!("thousand_{}", word(*format)),
                in_short(&render(&report, *format))
            );
        }
    }
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
    cases.push(("thousand_explained", cases::thousand_explained()));
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
    let reasons = report.warnings.iter().map(|text| Reason::Recorded {
        vote: Vote::Modify,
        text: text.clone(),
    });
    report.decision = Decision::of(reasons.collect());
    report.range.base.subject = builder::HOSTILE.repeat(1000);
    report.methodology.command_line = report.warnings.clone();
    report.methodology.order = builder::HOSTILE.repeat(1000);
    report.attributions = report.attributions.into_iter().cycle().take(50).collect();
    report
}

#[test]
fn a_step_summary_shows_more_than_a_comment_may() {
    let report = cases::thousand();
    let summary = render(&report, Format::GithubSummary);
    assert!(summary.len() <= 1 << 20);
    assert!(summary.len() > render(&report, Format::Markdown).len());
}

#[test]
fn a_saved_report_is_rendered_into_a_folder_with_a_file_for_each_format_and_plots() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = crate::support::perfcheck("report fixtures/reports/demo.v1.json --report-dir")
        .arg(folder.path())
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        told.contains("REJECT  2 of 14 benchmarks are slower"),
        "{told}"
    );
    let recorded = cases::demo();
    for (file, format) in [
        ("report.md", Format::Markdown),
        ("report.html", Format::Html),
        ("report.json", Format::Json),
        ("overview.svg", Format::Svg),
        ("junit.xml", Format::Junit),
        ("benchstat.txt", Format::GoBench),
    ] {
        let text = fs_err::read_to_string(folder.path().join(file)).expect("it was written");
        assert!(text == render(&recorded, format), "{file}");
    }
    let plot = "plots/vault/vault/stretch/rounds.svg";
    assert!(folder.path().join(plot).is_file(), "{told}");
}

/// 64 MiB once where there were twice 50 bytes.
fn larger_and_fewer(mut comparison: Comparison) -> Comparison {
    comparison = builder::allocating(comparison, (2.0, 100.0), (1.0, 67_108_864.0));
    let peak = builder::counted_as(50.0, 67_108_864.0);
    comparison.metrics.extend([(Metric::PEAK, peak)]);
    comparison
}

#[test]
fn fewer_allocations_do_not_hide_more_bytes_and_a_higher_peak_in_any_format() {
    let timed = builder::timed(
        "load",
        cargo_perfcheck::analyse::Verdict::Unchanged,
        1e6,
        0.0,
        0.003,
    );
    let report = builder::with(vec![larger_and_fewer(timed)]);
    let shown = text(&report, 160, Colour::Never, Charset::Unicode);
    for expected in [
        "mixed",
        "2 → 1 (fewer)",
        "100 B → 64.0 MiB (more)",
        "50 B → 64.0 MiB (more)",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let markdown = render(&report, Format::Markdown);
    assert!(markdown.contains("2 → 1 (fewer)") && markdown.contains("50 B → 64.0 MiB (more)"));
    for format in [Format::Html, Format::Gitlab, Format::Github] {
        let shown = render(&report, format);
        assert!(
            shown.contains("more bytes and peak, fewer allocations"),
            "{format:?}: {shown}"
        );
        assert!(
            shown.contains("peak 50 B → 64.0 MiB"),
            "{format:?}: {shown}"
        );
    }
}

/// The word that `--format` takes for a format.
fn word(format: Format) -> String {
    let value = clap::ValueEnum::to_possible_value(&format).expect("every format can be typed");
    value.get_name().to_owned()
}
