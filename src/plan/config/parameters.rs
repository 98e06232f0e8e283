//! A workload for each combination of its parameters.

use super::super::PlanError;
use super::entry::EntryReader;

/// The most workloads that one entry becomes.
const MOST: usize = 100;

/// A table of texts: the value of each parameter.
type Combination = Vec<(String, String)>;

/// The entry once for each combination of the values under `key`, with `{name}` replaced by the value and the
/// combination added to its name. Without parameters it is the entry itself.
pub(super) fn expand(reader: &EntryReader<'_>, key: &str) -> Result<Vec<toml::Table>, PlanError> {
    let mut combinations: Vec<Combination> = vec![Vec::new()];
    for (name, value) in reader.entries(key)? {
        let values = values(value).ok_or_else(|| {
            let problem = "each parameter is a list of numbers or strings, for example `[1, 10]`";
            reader.invalid(key, problem)
        })?;
        if ["dir", "side"].contains(&name) || name.starts_with("bin:") {
            return Err(reader.invalid(key, format!("`{{{name}}}` has a meaning already")));
        }
        combinations = combinations
            .iter()
            .flat_map(|earlier| {
                let values = values.iter();
                values.map(|value| {
                    let own = (name.to_owned(), value.clone());
                    earlier.iter().cloned().chain([own]).collect()
                })
            })
            .collect();
        if combinations.len() > MOST {
            return Err(reader.invalid(key, format!("that makes more than {MOST} workloads")));
        }
    }
    let tables = combinations.iter();
    Ok(tables
        .map(|combination| with(reader.table, key, combination))
        .collect())
}

fn values(value: &toml::Value) -> Option<Vec<String>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    };
    list.iter().map(text).collect()
}

fn with(table: &toml::Table, key: &str, combination: &Combination) -> toml::Table {
    let mut own = table.clone();
    own.remove(key);
    let names_itself = own.get("name").and_then(toml::Value::as_str);
    let told: Vec<String> = combination
        .iter()
        // What its name says already is not said twice.
        .filter(|(name, _)| !names_itself.is_some_and(|text| text.contains(&place(name))))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if let (Some(toml::Value::String(name)), false) = (own.get_mut("name"), told.is_empty()) {
        name.push_str(&format!(" {}", told.join(" ")));
    }
    for value in own.iter_mut().map(|(_, value)| value) {
        replace(value, combination);
    }
    own
}

fn place(name: &str) -> String {
    format!("{{{name}}}")
}

fn replace(value: &mut toml::Value, combination: &Combination) {
    match value {
        toml::Value::String(text) => {
            for (name, value) in combination {
                *text = text.replace(&place(name), value);
            }
        }
        toml::Value::Table(table) => {
            let values = table.iter_mut().map(|(_, value)| value);
            values.for_each(|value| replace(value, combination));
        }
        _ => {}
    }
}
