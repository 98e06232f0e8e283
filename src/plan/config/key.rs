//! The known keys: the long options of a comparison, as clap knows them.

use clap::{ArgAction, Args as _};

use super::super::CompareOptions;

/// Options that a project cannot decide: where its own manifest is, and what a person's terminal
/// looks like (the environment sets that with `NO_COLOR` and `CARGO_TERM_COLOR`). What is run once is typed; what a
/// project runs again and again has a name, in `[[workload]]`.
const NOT_CONFIGURABLE: [&str; 3] = ["manifest-path", "color", "run"];

/// The variable that skips the hook; not a setting of a comparison.
pub(super) const SKIP_VARIABLE: &str = "PERFCHECK_SKIP";

/// A known key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The long option without its dashes.
    pub(super) name: String,
    /// How many values it takes.
    pub(super) arity: Arity,
    /// What it means.
    pub(super) help: String,
    /// The allowed values; empty if any value is allowed.
    pub(super) choices: Vec<String>,
}

/// How many values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    /// True or false.
    Switch,
    /// One.
    One,
    /// A list.
    Many,
}

impl Key {
    /// The environment variable of this key.
    pub(super) fn variable(&self) -> String {
        format!("PERFCHECK_{}", self.name.to_uppercase().replace('-', "_"))
    }
}

/// All known keys, in the order of `--help`.
pub(super) fn known() -> Vec<Key> {
    let command = CompareOptions::augment_args(clap::Command::new("perfcheck"));
    let options = command.get_arguments();
    options
        .filter(|option| !option.is_hide_set())
        .filter_map(|option| {
            let name = option.get_long()?.to_owned();
            Some(Key {
                arity: match option.get_action() {
                    ArgAction::SetTrue => Arity::Switch,
                    ArgAction::Append => Arity::Many,
                    _ => Arity::One,
                },
                help: option
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                choices: option
                    .get_possible_values()
                    .iter()
                    .filter(|_| !matches!(option.get_action(), ArgAction::SetTrue))
                    .map(|value| value.get_name().to_owned())
                    .collect(),
                name,
            })
        })
        .filter(|key| !NOT_CONFIGURABLE.contains(&key.name.as_str()))
        .collect()
}

/// The candidate that `typo` most likely stands for, if any is close enough.
pub(super) fn nearest<'a>(typo: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(typo, name), name))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_a_comparison_is_a_key() {
        let names: Vec<String> = known().into_iter().map(|key| key.name).collect();
        for name in [
            "threshold",
            "time",
            "features",
            "no-allocations",
            "deny",
            "output",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert!(!names.iter().any(|name| name == "manifest-path"));
    }

    #[test]
    fn a_misspelling_is_answered_with_the_nearest_key_and_nonsense_with_none() {
        assert_eq!(
            nearest("treshold", ["time", "threshold"]),
            Some("threshold")
        );
        assert_eq!(nearest("zzz", ["time", "threshold"]), None);
    }
}
