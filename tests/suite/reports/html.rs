//! The page, as text; `browser` looks at it in a browser.

use cargo_perfcheck::plan::Format;

use super::{cases, readable, render};

#[test]
fn pages_are_recorded() {
    for name in ["one_regression", "failed_added_removed", "budgets", "empty"] {
        let (_, report) = readable().find(|(n, _)| *n == name).expect("a case");
        insta::assert_snapshot!(format!("html_{name}"), told(&render(&report, Format::Html)));
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
    (out + rest).replace("><", ">\n<")
}

#[test]
fn a_page_loads_nothing_from_anywhere() {
    for (name, report) in cases::all() {
        let page = render(&report, Format::Html);
        for reference in [
            " src=\"", "url(", "@import", "<link", "<iframe", "<object", "<base",
        ] {
            assert!(!page.contains(reference), "{name}: {reference}");
        }
    }
}

#[test]
fn nothing_hostile_becomes_an_element() {
    for format in [Format::Html, Format::Svg] {
        let page = render(&cases::hostile(), format);
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
    let report = cases::thousand();
    let page = render(&report, Format::Html);
    assert_eq!(page.matches("<details").count(), 1000);
    assert!(page.len() < 8 << 20, "{} bytes", page.len());
}
