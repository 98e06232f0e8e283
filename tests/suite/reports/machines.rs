//! What other programs read, read as they do.

use cargo_perfcheck::analyse::Verdict;
use cargo_perfcheck::judge::{BudgetStatus, ClaimStanding};
use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::Report;
use clap::ValueEnum as _;
use quick_junit::{Report as Junit, TestCaseStatus};
use serde_json::Value;

use super::{cases, readable, render, shown, word};

const FORMATS: [Format; 7] = [
    Format::Brief,
    Format::Junit,
    Format::Github,
    Format::Gitlab,
    Format::Bencher,
    Format::GithubActionBenchmark,
    Format::GoBench,
];

fn json(report: &Report, format: Format) -> Value {
    serde_json::from_str(&render(report, format)).expect("JSON")
}

fn count(report: &Report, wanted: &[Verdict]) -> usize {
    report
        .benchmarks
        .iter()
        .filter(|c| wanted.contains(&c.verdict))
        .count()
}

#[test]
fn every_machine_format_of_every_report_is_recorded() {
    for (name, report) in readable() {
        for format in FORMATS {
            let text = render(&report, format);
            insta::assert_snapshot!(format!("{}_{name}", word(format)), shown(name, &text));
        }
    }
}

#[test]
fn junit_fails_a_test_for_each_slower_benchmark() {
    for (name, report) in cases::all() {
        let xml = Junit::deserialize_from_str(&render(&report, Format::Junit)).expect(name);
        let budgets = |status| report.budgets.iter().filter(|b| b.status == status).count();
        assert_eq!(
            xml.tests,
            report.benchmarks.len()
                + report.budgets.len()
                + report.claims.len()
                + usize::from(report.partial.is_some()),
            "{name}"
        );
        assert_eq!(
            xml.failures,
            count(&report, &[Verdict::Slower]) + budgets(BudgetStatus::Over),
            "{name}"
        );
        assert_eq!(xml.errors, count(&report, &[Verdict::Failed]), "{name}");
        let shown = report.claims.iter();
        let shown = shown.filter(|check| check.standing == ClaimStanding::Shown);
        let cases = xml.test_suites.iter().flat_map(|suite| &suite.test_cases);
        let passed = cases.filter(|case| matches!(case.status, TestCaseStatus::Success { .. }));
        assert_eq!(
            passed.count(),
            count(&report, &[Verdict::Unchanged, Verdict::Faster])
                + budgets(BudgetStatus::Within)
                + shown.count(),
            "{name}"
        );
    }
}

#[test]
fn github_annotations_are_one_command_a_line_and_few() {
    for (name, report) in cases::all() {
        let text = render(&report, Format::Github);
        for line in text.lines() {
            let command = ["::error ", "::warning ", "::notice "]
                .iter()
                .any(|c| line.starts_with(c));
            assert!(command, "{name}: {line}");
            let properties = line[2..].split("::").next().expect("a first part");
            let (_, properties) = properties
                .split_once(' ')
                .expect("a command with properties");
            for property in properties.split(',') {
                let (key, _) = property.split_once('=').expect("key=value");
                assert!(["file", "line", "title"].contains(&key), "{name}: {line}");
            }
        }
        let errors = text
            .lines()
            .filter(|line| line.starts_with("::error"))
            .count();
        assert!(errors <= 10, "{name}: {errors}");
    }
}

/// What a format demands, as a schema of it: the tools that read these formats publish words, not
/// schemas, so `fixtures/schemas/` says the same for a validator.
fn demanded(name: &str) -> jsonschema::Validator {
    let path = format!("fixtures/schemas/{name}.schema.json");
    let text = fs_err::read_to_string(path).expect("the schema is committed");
    let schema = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a valid schema")
}

#[test]
fn exports_hold_to_the_schemas_of_their_readers() {
    for format in [
        Format::Gitlab,
        Format::Bencher,
        Format::GithubActionBenchmark,
    ] {
        let demanded = demanded(&word(format));
        for (name, report) in cases::all() {
            let value = json(&report, format);
            let errors: Vec<String> = demanded
                .iter_errors(&value)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{} {name}: {errors:#?}", word(format));
        }
        // It does demand something.
        assert!(!demanded.is_valid(&serde_json::json!([{}, 1])));
    }
}

#[test]
fn gitlab_issues_have_unique_prints_and_places_within_the_workspace() {
    for (name, report) in cases::all() {
        let issues = json(&report, Format::Gitlab);
        let issues = issues.as_array().expect("an array");
        let mut prints: Vec<&str> = Vec::new();
        for issue in issues {
            let path = issue["location"]["path"].as_str().expect("a path");
            assert!(!path.starts_with('/') && !path.starts_with("./"), "{path}");
            prints.push(issue["fingerprint"].as_str().expect("a fingerprint"));
        }
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), issues.len(), "{name}");
    }
}

/// The lines that the demo's changes come from.
#[test]
fn findings_stand_at_the_lines_that_are_to_blame() {
    let report = cases::demo();
    let annotations = render(&report, Format::Github);
    let at = "::error file=crates/readings/src/checksum.rs,line=6,title=slower%3A";
    assert!(annotations.contains(at), "{annotations}");
    let issues = json(&report, Format::Gitlab);
    let slower: Vec<&Value> = issues
        .as_array()
        .expect("an array")
        .iter()
        .filter(|issue| issue["check_name"] == "perfcheck-slower")
        .map(|issue| &issue["location"])
        .collect();
    let place = |path: &str, line: u32| serde_json::json!({"path": path, "lines": {"begin": line}});
    assert_eq!(
        slower,
        [
            &place("crates/readings/src/checksum.rs", 6),
            &place("crates/vault/src/lib.rs", 4)
        ]
    );
}

#[test]
fn bencher_gets_numbers_within_their_bounds_under_names_it_takes() {
    for (name, report) in cases::all() {
        let metrics = json(&report, Format::Bencher);
        for (benchmark, measures) in metrics.as_object().expect("an object") {
            assert!(
                benchmark.chars().count() <= 1024 && !benchmark.is_empty(),
                "{name}"
            );
            for (slug, metric) in measures.as_object().expect("an object") {
                assert!(
                    slug.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                    "{slug}"
                );
                let value = metric["value"].as_f64().expect("a number");
                assert!(
                    metric["lower_value"]
                        .as_f64()
                        .is_none_or(|lower| lower <= value),
                    "{metric}"
                );
                assert!(
                    metric["upper_value"]
                        .as_f64()
                        .is_none_or(|upper| upper >= value),
                    "{metric}"
                );
            }
        }
    }
}

#[test]
fn github_action_benchmark_gets_smaller_is_better() {
    for (_, report) in cases::all() {
        for entry in json(&report, Format::GithubActionBenchmark)
            .as_array()
            .expect("an array")
        {
            assert!(
                entry["name"].is_string() && entry["unit"].is_string() && entry["value"].is_f64(),
                "{entry}"
            );
        }
    }
}

/// The rules of Go's own reader, `golang.org/x/perf/benchfmt`.
#[test]
fn go_reads_every_line_of_its_benchmark_text() {
    for (name, report) in cases::all() {
        let text = render(&report, Format::GoBench);
        let mut side = "";
        let mut results = 0;
        for line in text.lines().filter(|line| !line.is_empty()) {
            assert!(line.len() < 64 << 10, "{name}: a line is too long");
            if let Some(result) = line.strip_prefix("Benchmark") {
                let fields: Vec<&str> = result.split_whitespace().collect();
                assert!(
                    fields.len() >= 4 && fields.len().is_multiple_of(2),
                    "{name}: {line}"
                );
                assert_eq!(fields[1].parse::<u64>().ok(), Some(1), "{name}: {line}");
                assert!(
                    fields[2..]
                        .chunks(2)
                        .all(|pair| pair[0].parse::<f64>().is_ok()),
                    "{line}"
                );
                results += 1;
            } else {
                let (key, value) = line.split_once(": ").expect("key: value");
                assert!(key.chars().all(|c| c.is_lowercase()), "{name}: {line}");
                if key == "side" {
                    side = value;
                }
            }
        }
        let timed = report
            .benchmarks
            .iter()
            .filter(|c| c.time().is_some())
            .count();
        assert!(results >= timed, "{name}: {results} of {timed}");
        assert_eq!(side, "head", "{name}");
    }
}

#[test]
fn no_format_lets_a_reader_take_a_partial_report_for_a_whole_one() {
    let report = cases::partial();
    for format in Format::value_variants() {
        let text = render(&report, *format);
        match format {
            Format::Json => assert!(text.contains("\"partial\": {"), "{text}"),
            Format::Junit => assert!(text.contains("type=\"partial\""), "{text}"),
            // There is no place for it: what was cut short is not there.
            Format::Bencher => {}
            _ => assert!(
                text.to_lowercase().contains("partial"),
                "{format:?}: {text}"
            ),
        }
    }
    let bencher = json(&report, Format::Bencher);
    let names: Vec<&String> = bencher.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["codec::codec parse/small"]);
    let entries = json(&report, Format::GithubActionBenchmark);
    assert!(!entries.to_string().contains("parse/large"), "{entries}");
    let mut whole = report;
    whole.partial = None;
    for format in Format::value_variants() {
        let text = render(&whole, *format).to_lowercase();
        assert!(!text.contains("partial"), "{format:?}: {text}");
    }
}
