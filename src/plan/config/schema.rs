//! The JSON schema of `perfcheck.toml`, for editors.

use serde_json::{Map, Value, json};

use super::key::{self, Arity, Key};
use super::{budgets, rules};
use crate::units::{Metric, Unit};

/// The schema, made from the same keys that are read.
#[must_use]
pub fn json_schema() -> Value {
    let mut properties: Map<String, Value> = key::known()
        .iter()
        .map(|key| (key.name.clone(), property(key)))
        .collect();
    properties.insert(
        rules::KEY.to_owned(),
        json!({
            "type": "array",
            "description": "Rules for single benchmarks; for each key the last one that matches counts",
            "items": rule(),
        }),
    );
    properties.insert(
        budgets::KEY.to_owned(),
        json!({
            "type": "array",
            "description": "What benchmarks and programs may use; for each limit the last entry that matches counts",
            "items": budget(),
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of cargo perfcheck",
        "description": "perfcheck.toml, [workspace.metadata.perfcheck] and [package.metadata.perfcheck]",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let one = if key.choices.is_empty() {
        json!({ "type": ["string", "number"] })
    } else {
        json!({ "enum": key.choices })
    };
    let mut schema = match key.arity {
        Arity::Switch => json!({ "type": "boolean" }),
        Arity::One => one,
        Arity::Many => json!({ "oneOf": [one.clone(), { "type": "array", "items": one }] }),
    };
    schema["description"] = Value::String(key.help.clone());
    schema
}

fn rule() -> Value {
    json!({
        "type": "object",
        "properties": {
            "match": {
                "type": "string",
                "description": "Glob of the benchmark's id; `*` also matches `/` [default: *]",
            },
            "package": { "type": "string", "description": "Glob of the package's name [default: *]" },
            "target": { "type": "string", "description": "Glob of the bench target's name [default: *]" },
            "threshold": {
                "type": "string",
                "description": "The smallest difference that counts, for example `3%`",
            },
            "time-per-benchmark": { "type": "string", "description": "Timed work a side, for example `10s`" },
            "skip": { "type": "boolean", "description": "Do not measure it" },
            "required": {
                "type": "boolean",
                "description": "Reject the change where it fails or was removed",
            },
        },
        "additionalProperties": false,
    })
}

fn budget() -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "match": {
                "type": "string",
                "description": "Glob of the benchmark's id; `*` also matches `/` [default: *]",
            },
            "package": { "type": "string", "description": "Glob of the package's name [default: *]" },
            "target": { "type": "string", "description": "Glob of the bench target's name [default: *]" },
            "binary": {
                "type": "string",
                "description": "Glob of a program's name, for `size`; programs are built with `--release` to check it",
            },
            "investigate": {
                "type": "string",
                "description": "Vote `modify` from this share of a limit on, for example `80%`",
            },
        },
        "additionalProperties": false,
    });
    for (key, metric) in budgets::limits() {
        schema["properties"][key] = limit(metric);
    }
    schema
}

fn limit(metric: Metric) -> Value {
    let what = metric.limit.as_ref().map(|limit| limit.help);
    match metric.unit {
        Unit::Count => json!({ "type": "number", "minimum": 0, "description": what }),
        Unit::Bytes => json!({ "type": ["string", "number"], "description": what }),
        _ => json!({ "type": "string", "description": what }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_the_one_of_the_keys_that_are_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/perfcheck.v1.json");
        let mut made = serde_json::to_string_pretty(&json_schema()).unwrap();
        made.push('\n');
        if std::env::var_os("PERFCHECK_BLESS").is_some() {
            fs_err::write(path, &made).unwrap();
        }
        let committed = fs_err::read_to_string(path).unwrap_or_default();
        assert!(
            made == committed,
            "fix it with `PERFCHECK_BLESS=1 cargo test --lib the_committed_schema`"
        );
    }

    #[test]
    fn every_key_of_an_entry_is_in_the_schema() {
        for (schema, mut known) in [(rule(), rules::KEYS.to_vec()), (budget(), budgets::keys())] {
            let properties = schema["properties"].as_object().unwrap();
            let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
            names.sort_unstable();
            known.sort_unstable();
            assert_eq!(names, known);
        }
    }
}
