//! The data of github-action-benchmark: its `data.js`, or the JSON file that it keeps elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::action_export::SCRIPT_PREFIX;
use super::imported::{ImportRefusal, ImportSource, ImportedData, ImportedRun, ImportedValue};
use super::record::RecordedCommit;
use crate::units::{Better, Timestamp};

/// What the file holds.
#[derive(Deserialize)]
struct ActionFile {
    entries: BTreeMap<String, Vec<Value>>,
}

/// What is read of a run.
#[derive(Deserialize)]
struct ActionFileRun {
    commit: ActionFileCommit,
    date: f64,
    #[serde(default)]
    tool: String,
    benches: Vec<ActionFileBench>,
}

#[derive(Deserialize)]
struct ActionFileCommit {
    id: String,
    #[serde(default)]
    timestamp: String,
}

#[derive(Deserialize)]
struct ActionFileBench {
    name: String,
    value: f64,
    #[serde(default)]
    unit: String,
}

/// What a file holds, if it is one of the action's.
pub(crate) fn action_data(
    text: &str,
    series: Option<&str>,
) -> Option<Result<ImportedData, serde_json::Error>> {
    let text = text.trim_start().trim_start_matches('\u{feff}');
    let script = text.strip_prefix(SCRIPT_PREFIX.trim_end());
    let json = script.unwrap_or(text).trim().trim_end_matches(';');
    match serde_json::from_str::<ActionFile>(json) {
        Ok(file) => Some(Ok(data(file, series))),
        Err(error) if script.is_some() => Some(Err(error)),
        Err(_) => None,
    }
}

fn data(file: ActionFile, series: Option<&str>) -> ImportedData {
    let mut data = ImportedData::default();
    for (suite, runs) in file.entries {
        // Suites are of different things, so a name of the user's does not join them.
        let series = match series {
            Some(series) => format!("{series} {suite}"),
            None => suite.clone(),
        };
        for (nth, run) in runs.into_iter().enumerate() {
            match imported(run, &series) {
                Ok(run) => data.runs.push(run),
                Err(why) => data.refused.push(ImportRefusal {
                    what: format!("run {} of the suite `{suite}`", nth + 1),
                    why,
                }),
            }
        }
    }
    data
}

fn imported(run: Value, series: &str) -> Result<ImportedRun, String> {
    let run: ActionFileRun = serde_json::from_value(run).map_err(|error| error.to_string())?;
    let id = run.commit.id.to_ascii_lowercase();
    let is_whole = [40, 64].contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_whole {
        return Err("its commit has no whole id".to_owned());
    }
    let benches = run.benches.iter();
    let values = benches.filter_map(|one| ImportedValue::of(&one.name, one.value, &one.unit));
    let values: Vec<ImportedValue> = values.collect();
    if values.is_empty() {
        return Err("it holds no number".to_owned());
    }
    let commit = RecordedCommit {
        id,
        date: commit_date(&run.commit.timestamp),
    };
    Ok(ImportedRun {
        date: Some(Timestamp::from_unix((run.date / 1000.0) as i64)),
        better: better(&run.tool),
        ..ImportedRun::of(ImportSource::GithubActionBenchmark, series, commit, values)
    })
}

/// A date with an offset, as GitHub writes it: `2024-03-01T12:00:00+02:00`.
fn commit_date(text: &str) -> Option<Timestamp> {
    let (local, offset) = text.split_at_checked(19)?;
    let local = humantime::parse_rfc3339_weak(local).ok()?;
    let local = local.duration_since(std::time::UNIX_EPOCH).ok()?;
    let local = i64::try_from(local.as_secs()).ok()?;
    let ahead = match offset.split_at_checked(1) {
        Some((sign @ ("+" | "-"), of)) => {
            let (hours, minutes) = of.split_once(':')?;
            let ahead = 3600 * hours.parse::<i64>().ok()? + 60 * minutes.parse::<i64>().ok()?;
            if sign == "+" { ahead } else { -ahead }
        }
        _ => 0,
    };
    Some(Timestamp::from_unix(local - ahead))
}

/// Which way is an improvement, by the tool whose output the action read.
fn better(tool: &str) -> Better {
    match tool {
        "benchmarkjs" | "pytest" | "customBiggerIsBetter" => Better::Higher,
        _ => Better::Lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(run: &str) -> String {
        format!(
            "{SCRIPT_PREFIX}{{ \"lastUpdate\": 1, \"repoUrl\": \"\", \"entries\": {{ \"Rust\": [{run}] }} }}"
        )
    }

    fn read(text: &str) -> ImportedData {
        action_data(text, None).unwrap().unwrap()
    }

    const RUN: &str = r#"{
        "commit": { "id": "1111111111111111111111111111111111111111", "timestamp": "2024-03-01T12:00:00+02:00",
            "message": "Faster", "url": "", "author": { "name": "A", "email": "a@example.com" } },
        "date": 1709287200500, "tool": "cargo",
        "benches": [{ "name": "parse", "value": 37174, "range": "± 7527", "unit": "ns/iter" }] }"#;

    #[test]
    fn a_run_keeps_its_numbers_and_no_person() {
        let data = read(&file(RUN));
        assert_eq!(data.refused, []);
        let run = &data.runs[0];
        assert_eq!(run.series, "Rust");
        assert_eq!(run.date.unwrap().as_unix(), 1_709_287_200);
        assert_eq!(run.commit.date.unwrap().to_string(), "2024-03-01T10:00:00Z");
        let expected = ImportedValue {
            name: "parse".to_owned(),
            value: 37_174.0,
            unit: "ns/iter".to_owned(),
        };
        assert_eq!(run.benchmarks, [expected]);
        let kept = serde_json::to_string(run).unwrap();
        assert!(
            !kept.contains("example") && !kept.contains("Faster"),
            "{kept}"
        );
        assert_eq!(serde_json::from_str::<ImportedRun>(&kept).unwrap(), *run);
        assert_eq!(
            action_data(&file(RUN), Some("ci")).unwrap().unwrap().runs[0].series,
            "ci Rust"
        );
        let bigger = read(&file(&RUN.replace("\"cargo\"", "\"customBiggerIsBetter\"")));
        assert_eq!(bigger.runs[0].better, Better::Higher);
    }

    #[test]
    fn what_is_not_whole_is_named_and_other_files_are_none_of_the_actions() {
        let short = RUN.replace(&"1".repeat(40), "1111111");
        let data = read(&file(&format!("{short}, {RUN}, {{}}")));
        assert_eq!(data.runs.len(), 1);
        let whats: Vec<&str> = data.refused.iter().map(|one| &*one.what).collect();
        assert_eq!(
            whats,
            ["run 1 of the suite `Rust`", "run 3 of the suite `Rust`"]
        );
        assert_eq!(data.refused[0].why, "its commit has no whole id");
        assert!(action_data("{\"schema_version\": 2}", None).is_none());
        assert!(
            action_data("window.BENCHMARK_DATA = {", None)
                .unwrap()
                .is_err()
        );
    }
}
