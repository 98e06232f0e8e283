//! The JSON report: its schema, and what earlier versions wrote.

use cargo_perfcheck::analyse::Direction;
use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::{self, Report};
use cargo_perfcheck::units::{Metric, MetricGroup, Side};
use serde_json::Value;

use super::{cases, render};

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
    value["benchmarks"][1]["metrics"]["time"]["estimate"] = serde_json::Value::Null;
    assert!(!schema().is_valid(&value));
}

/// A report has no member that nobody can look up.
#[test]
fn every_member_of_the_json_report_is_in_its_schema() {
    let mut schema = schema_text();
    close(&mut schema);
    let validator = jsonschema::draft202012::new(&schema).expect("a valid schema");
    for (name, report) in cases::all() {
        let value = serde_json::to_value(&report).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    let mut strange = serde_json::to_value(cases::one_regression()).expect("JSON");
    strange["benchmarks"][1]["metrics"]["time"]["head"]["mood"] = "good".into();
    assert!(!validator.is_valid(&strange));
}

/// Lets no object have members that its schema does not name. What a reason or a remark has, its kind says.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_open = members.contains_key("additionalProperties")
                || members.get("required") == Some(&serde_json::json!(["kind"]));
            if members.contains_key("properties") && members.contains_key("type") && !is_open {
                members.insert("additionalProperties".into(), false.into());
            }
            let conditions = ["allOf", "oneOf"];
            let inner = members.iter_mut();
            let inner = inner.filter(|(name, _)| !conditions.contains(&name.as_str()));
            inner.for_each(|(_, inner)| close(inner));
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn schema_text() -> Value {
    let text = fs_err::read_to_string("schemas/report.v2.json").expect("the schema is committed");
    serde_json::from_str(&text).expect("JSON")
}

fn schema() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema_text()).expect("a valid schema")
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

/// What version 1 said about one benchmark, version 2 says about its metrics.
#[test]
fn a_report_of_version_1_keeps_its_numbers() {
    let text = fs_err::read_to_string("fixtures/reports/v1.json").expect("a recorded report");
    let old: Value = serde_json::from_str(&text).expect("JSON");
    let report = report::load("fixtures/reports/v1.json".as_ref()).expect("a recorded report");
    assert_eq!(report.schema_version, report::SCHEMA_VERSION);
    assert_eq!(report.environment.machine.cpu, "Example CPU");
    let pairs = report
        .benchmarks
        .iter()
        .zip(old["benchmarks"].as_array().expect("a list"));
    let mut numbers = 0;
    for (comparison, old) in pairs {
        for (metric, part, figure) in [
            (Metric::TIME, "time", "median_ns"),
            (Metric::MEAN, "time", "mean_ns"),
            (Metric::P99, "time", "p99_ns"),
            (Metric::ALLOCATIONS, "allocations", "count"),
            (Metric::PEAK, "allocations", "peak_bytes"),
        ] {
            for side in Side::BOTH {
                let was = old[part][side.name()][figure].as_f64();
                assert_eq!(
                    comparison.value(metric, side),
                    was,
                    "{} {metric:?}",
                    comparison.key
                );
                numbers += usize::from(was.is_some());
            }
        }
        let was = &old["time"]["change"]["ratio"];
        let is = comparison
            .estimate()
            .map(|change| change.ratio.as_quotient());
        assert_eq!(is, was.as_f64());
        let rounds = comparison.time().map(|time| time.rounds.len());
        assert_eq!(rounds, old["time"]["rounds"].as_array().map(Vec::len));
        let grew = old["allocations"]["verdict"] == "more";
        let direction = comparison.direction(MetricGroup::Allocations);
        assert_eq!(
            direction == Some(Direction::More),
            grew,
            "{}",
            comparison.key
        );
    }
    assert!(numbers > 20, "{numbers}");
}

/// Writes a file as the present version has it; run it by hand when a new version is published.
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
