//! The page, as text; `browser` looks at it in a browser.

use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report;

use super::{cases, readable, render, shown};

#[test]
fn pages_are_recorded() {
    for (name, report) in readable() {
        let page = told(&render(&report, Format::Html));
        let page = shown(name, &page);
        insta::assert_snapshot!(format!("html_{name}"), page);
        insta::assert_snapshot!(format!("svg_{name}"), render(&report, Format::Svg));
    }
}

/// The page without its style and script, which are files of their own, and a line an element.
fn told(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let start = rest.find(from).expect("it is there") + from.len();
        let end = start + rest[start..].find(to).expect("it ends");
        out.push_str(&rest[..start]);
        rest = &rest[end..];
    }
    let page = (out + rest).replace("><", ">\n<");
    let lines = page
        .lines()
        .map(|line| match line.split_once(" srcdoc=\"") {
            // Pictures are drawn by a library; what is in them has tests of its own.
            Some((frame, _)) => format!("{frame} srcdoc=…"),
            None => line.to_owned(),
        });
    let mut in_picture = false;
    let kept = lines.filter(|line| {
        let kept = !in_picture;
        in_picture = (in_picture || line.ends_with("srcdoc=…")) && !line.contains("</iframe>");
        kept
    });
    kept.collect::<Vec<String>>().join("\n")
}

#[test]
fn a_page_loads_nothing_from_anywhere() {
    for (name, report) in cases::all() {
        let page = render(&report, Format::Html);
        // The background of a flame graph is a gradient of its own.
        let page = page.replace("url(#background)", "");
        for reference in [" src=\"", "url(", "@import", "<link", "<object", "<base"] {
            assert!(!page.contains(reference), "{name}: {reference}");
        }
        for frame in page.split("<iframe").skip(1) {
            assert!(
                frame.starts_with(" class=\"flame\" sandbox=\"allow-scripts allow-modals\""),
                "{name}"
            );
        }
    }
}

#[test]
fn nothing_hostile_becomes_an_element() {
    let report = cases::hostile();
    let mut pages = vec![render(&report, Format::Html), render(&report, Format::Svg)];
    let plots = report::plots(&report).into_iter();
    pages.extend(plots.map(|plot| String::from_utf8(plot.bytes).expect("text")));
    assert!(pages.len() > 4);
    for page in pages {
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("</script><img"), "{page}");
        assert_eq!(
            page.matches("<script").count(),
            page.matches("</script>").count()
        );
        assert!(
            !page.contains('\u{202e}') && !page.contains('\u{1b}'),
            "{page}"
        );
    }
}

#[test]
fn a_thousand_benchmarks_stay_a_page_of_a_few_megabytes() {
    let page = render(&cases::thousand(), Format::Html);
    assert_eq!(page.matches("<details").count(), 1000);
    assert!(page.len() < 8 << 20, "{} bytes", page.len());
    let page = render(&cases::thousand_explained(), Format::Html);
    assert_eq!(page.matches("<details class=\"row ").count(), 1000);
    assert!(page.len() < 24 << 20, "{} bytes", page.len());
}

#[test]
fn what_changed_has_plots_in_a_folder_of_its_own() {
    let plots = report::plots(&cases::demo());
    let paths: Vec<String> = plots
        .iter()
        .map(|plot| plot.path.display().to_string())
        .collect();
    for what in ["samples", "rounds", "levels"] {
        let path = format!("readings/readings/checksum_4_KiB/{what}.svg");
        assert!(paths.contains(&path), "{paths:#?}");
    }
    assert!(
        !paths.iter().any(|path| path.contains("series")),
        "{paths:#?}"
    );
    let rounds = plots.iter().find(|plot| plot.path.ends_with("rounds.svg"));
    let text = String::from_utf8_lossy(&rounds.expect("there is one").bytes).into_owned();
    insta::assert_snapshot!("plot_rounds", text);
}
