//! At what limits a service is tested: `[service.limits]`.

use std::time::Duration;

use super::super::PlanError;
use super::super::limits::{LimitBy, LimitKind, LimitKinds, LimitsSettings};
use super::entry::{EntryKey, EntryKind, EntryReader};
use super::service_amounts::{rate, within};

/// The keys of `[service.limits]`.
pub(super) const LIMITS_KEYS: &[EntryKey] = &[
    EntryKey::text(
        "rate",
        "The rate of the ordinary load: a share of base's capacity (`50%`) or requests per second (`500/s`) [default: 50%]",
    ),
    EntryKey::text(
        "step",
        "How long a side is loaded at each limit [default: 2s]",
    ),
    EntryKey::of(
        "connections",
        EntryKind::Number,
        "How many connections are opened where there are too many [default: four times `connections` of the service]",
    ),
    EntryKey::of(
        "of",
        EntryKind::Words,
        "What is limited: `memory`, `files`, `connections`, `tasks`, `processor` [default: all that can be]",
    ),
    EntryKey::text(
        "by",
        "`auto` (control groups where perfcheck may make them, else `prlimit`) or `prlimit` [default: auto]",
    ),
];

/// Reads the settings of the `limits` test.
pub(super) fn limits(reader: &EntryReader<'_>) -> Result<LimitsSettings, PlanError> {
    let usual = LimitsSettings::default();
    let connections = reader.number("connections")?;
    if connections.is_some_and(|count| !(2..=10_000).contains(&count)) {
        return Err(reader.invalid("connections", "it must be from 2 to 10000"));
    }
    let by = match reader.text("by")? {
        None | Some("auto") => LimitBy::Auto,
        Some("prlimit") => LimitBy::Process,
        Some(_) => return Err(reader.invalid("by", "it is `auto` or `prlimit`")),
    };
    let kinds = match reader.words("of")? {
        None => usual.kinds,
        Some(names) => {
            let named = |name: &str| LimitKind::ALL.into_iter().find(|kind| kind.name() == name);
            let kinds: Option<Vec<_>> = names.into_iter().map(named).collect();
            let kinds = kinds.filter(|kinds| !kinds.is_empty());
            let known = || {
                LimitKind::ALL
                    .map(|kind| format!("`{}`", kind.name()))
                    .join(", ")
            };
            let kinds =
                kinds.ok_or_else(|| reader.invalid("of", format!("there are {}", known())))?;
            LimitKinds::of(&kinds)
        }
    };
    Ok(LimitsSettings {
        rate: rate(reader)?.unwrap_or(usual.rate),
        step: within(reader, "step", usual.step, Duration::from_millis(50))?,
        connections,
        kinds,
        by,
    })
}
