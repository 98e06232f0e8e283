//! Values from files and variables, as the text that a user would type.

use super::key::{Arity, Key};

/// A value of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LayerValue {
    /// Of a switch.
    Switch(bool),
    /// Of anything else.
    Texts(Vec<String>),
}

impl LayerValue {
    /// The arguments that set the same on the command line.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        match self {
            LayerValue::Switch(true) => vec![format!("--{key}")],
            LayerValue::Switch(false) => Vec::new(),
            LayerValue::Texts(texts) => {
                texts.iter().map(|text| format!("--{key}={text}")).collect()
            }
        }
    }

    /// From TOML.
    ///
    /// # Errors
    /// What type it should have.
    pub(super) fn from_toml(key: &Key, value: &toml::Value) -> Result<LayerValue, &'static str> {
        match (key.arity, value) {
            (Arity::Switch, toml::Value::Boolean(on)) => Ok(LayerValue::Switch(*on)),
            (Arity::Switch, _) => Err("it must be `true` or `false`"),
            (Arity::Many, toml::Value::Array(items)) => {
                let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
                texts
                    .map(LayerValue::Texts)
                    .ok_or("it must be a list of strings")
            }
            (Arity::Many, value) => scalar(value)
                .map(|text| LayerValue::Texts(vec![text]))
                .ok_or("it must be a list of strings"),
            (Arity::One, value) => scalar(value)
                .map(|text| LayerValue::Texts(vec![text]))
                .ok_or("it must be a string or a number"),
        }
    }

    /// From an environment variable; lists are separated by commas.
    ///
    /// # Errors
    /// What it should look like.
    pub(super) fn from_variable(key: &Key, text: &str) -> Result<LayerValue, &'static str> {
        Ok(match key.arity {
            Arity::Switch => LayerValue::Switch(match text.to_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => true,
                "0" | "false" | "no" | "off" => false,
                _ => return Err("it must be `1` or `0`"),
            }),
            Arity::One => LayerValue::Texts(vec![text.to_owned()]),
            Arity::Many => {
                LayerValue::Texts(text.split(',').map(|item| item.trim().to_owned()).collect())
            }
        })
    }
}

impl std::fmt::Display for LayerValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LayerValue::Switch(on) => write!(f, "{on}"),
            LayerValue::Texts(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
