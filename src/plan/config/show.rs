//! The resolved settings and where each came from.

use clap::CommandFactory;
use clap::parser::ValueSource;

use super::super::args::own_words;
use super::super::default;
use super::super::mode::Mode;
use super::super::{Args, Environment, PlanError, manifest};
use super::key::{self, Arity, Key};
use super::{Configuration, ValueOrigin, budgets, rules, services, workloads};

/// A setting as it will be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownSetting {
    /// The key.
    pub key: String,
    /// The value, as it would be typed; `None` where it is not set and there is no default.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: ValueOrigin,
}

/// All settings for the manifest that the arguments name, in the order of `--help`; then the entries of lists, and
/// the parts of the configuration that were not understood.
///
/// # Errors
/// There is no manifest, or the configuration cannot be understood.
pub fn show(
    manifest_path: Option<&std::path::Path>,
    environment: &Environment,
) -> Result<(Vec<ShownSetting>, Vec<String>), PlanError> {
    let manifest_path = manifest::find(manifest_path, &environment.cwd)?;
    let configuration = Configuration::read(&manifest_path, environment)?;
    // This also checks that the values can be parsed.
    let configured = configuration.beneath(&Default::default())?;
    let typed = typed(environment);
    let is_typed = |id: &str| {
        let matches = typed.as_ref();
        matches.is_some_and(|m| m.try_get_one(id).ok().flatten() == Some(&true))
    };
    let mode = match (is_typed("quick"), is_typed("thorough")) {
        (true, _) => Mode::Quick,
        (_, true) => Mode::Thorough,
        _ => Mode::of(&configured.sampling),
    };
    let mut settings: Vec<ShownSetting> = key::known()
        .into_iter()
        .map(|key| shown(&key, &typed, &configuration, mode))
        .collect();
    let rules = configuration.rules.shown().map(|rule| (rules::KEY, rule));
    let budgets = configuration.budgets.shown().map(|b| (budgets::KEY, b));
    let workloads = configuration.workloads.iter();
    let workloads = workloads.map(|(workload, origin)| {
        let said = format!("{}: {}", workload.name, workload.command);
        (workloads::KEY, (said, origin))
    });
    let services = configuration.services.iter();
    let services = services.map(|(service, origin)| {
        let said = format!("{}: {}", service.name, service.command);
        (services::KEY, (said, origin))
    });
    settings.extend(rules.chain(budgets).chain(workloads).chain(services).map(
        |(key, (value, origin))| ShownSetting {
            key: format!("[[{key}]]"),
            value: Some(value),
            origin: origin.clone(),
        },
    ));
    Ok((settings, configuration.warnings))
}

/// The matches of the innermost command.
fn typed(environment: &Environment) -> Option<clap::ArgMatches> {
    let words = environment.words.iter().take(1);
    let words = words.chain(own_words(&environment.words));
    let mut matches = Args::command().try_get_matches_from(words).ok()?;
    match matches.remove_subcommand() {
        Some((_, inner)) => Some(inner),
        None => Some(matches),
    }
}

fn shown(
    key: &Key,
    typed: &Option<clap::ArgMatches>,
    configuration: &Configuration,
    mode: Mode,
) -> ShownSetting {
    let id = argument_id(&key.name);
    let typed_all = typed.as_ref();
    let typed = typed_all.filter(|matches| {
        matches.try_contains_id(&id).unwrap_or(false)
            && matches.value_source(&id) == Some(ValueSource::CommandLine)
    });
    if let Some(matches) = typed {
        let raw = matches.get_raw(&id).into_iter().flatten();
        let texts: Vec<String> = raw
            .map(|text| text.to_string_lossy().into_owned())
            .collect();
        let value = match key.arity {
            Arity::Switch => "true".to_owned(),
            _ => texts.join(", "),
        };
        return ShownSetting {
            key: key.name.clone(),
            value: Some(value),
            origin: ValueOrigin::Flag,
        };
    }
    let undone = typed_all.is_some_and(|matches| {
        let id = format!("undo-{}", key.name);
        matches.try_get_one(&id).ok().flatten() == Some(&true)
    });
    if undone {
        return ShownSetting {
            key: key.name.clone(),
            value: Some("false".to_owned()),
            origin: ValueOrigin::Flag,
        };
    }
    let configured = configuration
        .effective()
        .find(|setting| setting.key == key.name);
    match configured {
        Some(setting) => ShownSetting {
            key: key.name.clone(),
            value: Some(setting.value.to_string()),
            origin: setting.origin.clone(),
        },
        None => ShownSetting {
            key: key.name.clone(),
            value: default_text(key, mode),
            origin: ValueOrigin::Default,
        },
    }
}

/// Clap's identifier of a long option.
fn argument_id(long: &str) -> String {
    let command = Args::command();
    let argument = command
        .get_arguments()
        .find(|argument| argument.get_long() == Some(long));
    argument
        .map(|argument| argument.get_id().to_string())
        .unwrap_or_default()
}

/// The default as it would be typed, or, in parentheses, what holds where nothing is set.
fn default_text(key: &Key, mode: Mode) -> Option<String> {
    let text = match key.name.as_str() {
        "rounds" => mode.rounds().to_string(),
        "time-per-benchmark" => mode.time_per_benchmark().to_string(),
        "warm-up-time" => mode.warm_up().to_string(),
        "measurement-time" => mode.measurement().to_string(),
        "profile-time" => mode.profile_time().to_string(),
        "sample-size" => default::SAMPLE_SIZE.to_string(),
        "timeout" => default::TIMEOUT.to_string(),
        "threshold" => default::THRESHOLD.to_string(),
        "allocation-threshold" => default::ALLOCATION_THRESHOLD.to_string(),
        "instruction-threshold" => default::INSTRUCTION_THRESHOLD.to_string(),
        "more-allocations" => "modify".to_owned(),
        "confidence" => mode.confidence().to_string(),
        "cache-size" => default::CACHE_SIZE.to_string(),
        "pairing" | "pin" | "layouts" | "causes" => "auto".to_owned(),
        "profile" => "bench".to_owned(),
        "format" => "text".to_owned(),
        "message-format" => "human".to_owned(),
        "package" => "(the workspace's default members)".to_owned(),
        "bench" | "filter" | "partition" => "(all)".to_owned(),
        "features" => "(the default ones)".to_owned(),
        "target" => "(this machine's)".to_owned(),
        "target-dir" => "(the user's cache folder)".to_owned(),
        "time" => "(no limit)".to_owned(),
        "seed" => "(drawn)".to_owned(),
        "output" => "(stdout)".to_owned(),
        "history" => "(the reference `refs/perfcheck/history`)".to_owned(),
        "artifacts" => "(`profiles` in `--report-dir`)".to_owned(),
        "only" => "(everything)".to_owned(),
        "exclude" | "carry" | "rename" | "claim" | "deny" | "report-dir" => "(none)".to_owned(),
        _ if key.arity == Arity::Switch => "false".to_owned(),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_default_and_it_is_the_one_that_help_tells() {
        for key in key::known() {
            let shown = default_text(&key, Mode::Usual);
            let shown = shown.unwrap_or_else(|| panic!("{} has no default", key.name));
            let Some((_, told)) = key.help.split_once("[default: ") else {
                continue;
            };
            let told = told.split([']', ',']).next().unwrap();
            // `60s` and `1m` are one time.
            let span = |text: &str| humantime::parse_duration(text).ok();
            let is_said = shown.trim_matches(['(', ')']).starts_with(told);
            assert!(
                is_said || span(told).is_some() && span(told) == span(&shown),
                "{}: {shown} is not {told}",
                key.name
            );
        }
    }
}
