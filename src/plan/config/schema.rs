//! The JSON schema of `perfcheck.toml`, for editors.

use serde_json::{Map, Value, json};

use super::entry::{EntryKey, EntryKind};
use super::key::{self, Arity, Key};
use super::{budgets, rules, services, workloads};

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
            "items": entry(rules::KEYS),
        }),
    );
    properties.insert(
        budgets::KEY.to_owned(),
        json!({
            "type": "array",
            "description": "What benchmarks and programs may use; for each limit the last entry that matches counts",
            "items": entry(&budgets::keys()),
        }),
    );
    properties.insert(
        workloads::KEY.to_owned(),
        json!({
            "type": "array",
            "description": "Whole programs that are benchmarks",
            "items": entry(workloads::KEYS),
        }),
    );
    properties.insert(
        services::KEY.to_owned(),
        json!({
            "type": "array",
            "description": "Services that `cargo perfcheck load` compares",
            "items": entry(&services::keys()),
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

/// An entry of a list.
fn entry(keys: &[EntryKey]) -> Value {
    let property = |key: &EntryKey| {
        let mut schema = match key.kind {
            EntryKind::Text => json!({ "type": "string" }),
            EntryKind::Switch => json!({ "type": "boolean" }),
            EntryKind::Number => json!({ "type": "number", "minimum": 0 }),
            EntryKind::Size => json!({ "type": ["string", "number"] }),
            EntryKind::Numbers => {
                json!({ "type": "array", "items": { "type": "integer" }, "minItems": 1 })
            }
            EntryKind::Metrics => {
                let better = json!({ "enum": ["lower", "higher", "neither"] });
                let table = json!({
                    "type": "object",
                    "required": ["better"],
                    "properties": {
                        "better": better,
                        "unit": { "enum": ["count", "time", "bytes"] },
                        "limit": { "type": ["string", "number"] },
                    },
                    "additionalProperties": false,
                });
                json!({ "type": "object", "additionalProperties": { "oneOf": [better, table] } })
            }
            EntryKind::Lists => {
                let list = json!({ "type": "array", "minItems": 1 });
                json!({ "type": "object", "additionalProperties": list })
            }
            EntryKind::Texts => {
                json!({ "type": "object", "additionalProperties": { "type": "string" } })
            }
            EntryKind::Words => json!({ "type": "array", "items": { "type": "string" } }),
            EntryKind::Table(keys) => entry(keys),
            EntryKind::Tables(keys) => {
                json!({ "type": "array", "items": entry(keys), "minItems": 1 })
            }
        };
        schema["description"] = Value::String(key.help.to_owned());
        (key.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = keys.iter().map(property).collect();
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
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
}
