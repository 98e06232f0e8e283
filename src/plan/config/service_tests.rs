//! How a service is tested: `tests = [...]` and a table for each test.

use std::time::Duration;

use super::super::PlanError;
use super::super::load_test::{
    LoadTest, LoadTestSettings, NeighbourSettings, RampUpSettings, SoakSettings, SpikeSettings,
};
use super::super::request_rate::RequestRate;
use super::super::service::ServiceRequest;
use super::super::size::Size;
use super::super::value::{Share, Span};
use super::entry::{EntryKey, EntryKind, EntryReader};
use super::service_amounts::{rate, within};
use super::service_limits::{LIMITS_KEYS, limits};
use super::service_requests::{REQUEST_KEYS, requests};

/// The keys of `[service.ramp-up]`.
const RAMP_UP_KEYS: &[EntryKey] = &[
    EntryKey::text(
        "p99",
        "Above this 99th percentile of its latency a side has broken [default: 100ms]",
    ),
    EntryKey::text(
        "errors",
        "Where more than this share of requests fail, a side has broken [default: 1%]",
    ),
    EntryKey::text(
        "achieved",
        "Where less than this share of the offered requests is answered in time, a side has broken [default: 95%]",
    ),
    EntryKey::text(
        "step",
        "For how long requests are counted at each rate [default: 1s]",
    ),
    EntryKey::of(
        "rounds",
        EntryKind::Number,
        "How many pairs of sides are broken; fewer than 6 show no change [default: 6]",
    ),
];

/// The keys of `[service.spike]`.
const SPIKE_KEYS: &[EntryKey] = &[
    EntryKey::text(
        "rate",
        "The rate before and after the spike: a share of base's capacity (`50%`) or requests per second (`500/s`) [default: 50%]",
    ),
    EntryKey::of(
        "factor",
        EntryKind::Number,
        "How many times as many requests there are in the spike [default: 3]",
    ),
    EntryKey::text(
        "lasting",
        "How long the spike takes, and how long the sides are watched before it [default: 2s]",
    ),
    EntryKey::text(
        "watched",
        "How long the sides are watched after it [default: 8s]",
    ),
    EntryKey::of(
        "rounds",
        EntryKind::Number,
        "How many pairs of sides have a spike; fewer than 6 show no change [default: 6]",
    ),
];

/// The keys of `[service.soak]`.
const SOAK_KEYS: &[EntryKey] = &[
    EntryKey::text(
        "rate",
        "The rate: a share of base's capacity (`80%`) or requests per second (`500/s`) [default: 80%]",
    ),
    EntryKey::text(
        "lasting",
        "For how long each side is loaded; `--quick` takes a fifth of it [default: 10m]",
    ),
    EntryKey::text(
        "growth",
        "What head may grow more than base in an hour at this rate before it counts [default: 10MB]",
    ),
];

/// The keys of `[service.noisy-neighbour]`.
const NEIGHBOUR_KEYS: &[EntryKey] = &[
    EntryKey::text(
        "rate",
        "The rate of the tenant, who sends the service's requests: a share of base's capacity (`30%`) or requests per second \
         (`500/s`) [default: 30%]",
    ),
    EntryKey::of(
        "request",
        EntryKind::Tables(REQUEST_KEYS),
        "What the neighbour sends, as fast as it is answered",
    ),
    EntryKey::of(
        "connections",
        EntryKind::Number,
        "How many connections the neighbour has [default: 8]",
    ),
    EntryKey::text(
        "limit",
        "By how much the tenant's p95 may rise, and its answers in time may fall [default: 10%]",
    ),
    EntryKey::text(
        "turn",
        "How long the tenant is watched in each turn, four times with the neighbour and four times without in a round [default: 1s]",
    ),
    EntryKey::of(
        "rounds",
        EntryKind::Number,
        "How many rounds there are; fewer than 6 show no change [default: 6]",
    ),
];

/// The keys of a service that say how it is tested.
pub(super) const TABLES: [EntryKey; 5] = [
    EntryKey::of(
        "ramp-up",
        EntryKind::Table(RAMP_UP_KEYS),
        "The test `ramp-up`: the rate at which each side breaks",
    ),
    EntryKey::of(
        "spike",
        EntryKind::Table(SPIKE_KEYS),
        "The test `spike`: how each side recovers from a sudden rise of the load",
    ),
    EntryKey::of(
        "soak",
        EntryKind::Table(SOAK_KEYS),
        "The test `soak`: whether the memory of each side grows under a long load",
    ),
    EntryKey::of(
        "noisy-neighbour",
        EntryKind::Table(NEIGHBOUR_KEYS),
        "The test `noisy-neighbour`: how much one tenant suffers from the heavy load of another",
    ),
    EntryKey::of(
        "limits",
        EntryKind::Table(LIMITS_KEYS),
        "The test `limits`: what happens to each side with less than it needs",
    ),
];

/// The tests that a service asks for, in the order in which they are run.
pub(super) fn tests(reader: &EntryReader<'_>) -> Result<Vec<LoadTest>, PlanError> {
    let Some(names) = reader.words("tests")? else {
        return Ok(vec![LoadTest::Compare]);
    };
    let named = |name: &&str| LoadTest::ALL.into_iter().find(|test| test.name() == *name);
    let mut tests = Vec::new();
    for name in &names {
        tests.push(named(name).ok_or_else(|| {
            let known = LoadTest::ALL.map(|test| format!("`{}`", test.name()));
            reader.invalid("tests", format!("there are {}", known.join(", ")))
        })?);
    }
    tests.sort();
    tests.dedup();
    match tests.is_empty() {
        true => Err(reader.invalid("tests", "name at least one, for example `\"compare\"`")),
        false => Ok(tests),
    }
}

/// What the noisy neighbour sends.
pub(super) fn neighbours(reader: &EntryReader<'_>) -> Result<Vec<ServiceRequest>, PlanError> {
    let empty = toml::Table::new();
    let reader = neighbour_table(reader, &empty)?;
    match reader.has("request") {
        true => requests(&reader, reader.scope, reader.origin),
        false => Ok(Vec::new()),
    }
}

fn neighbour_table<'a>(
    reader: &'a EntryReader<'a>,
    empty: &'a toml::Table,
) -> Result<EntryReader<'a>, PlanError> {
    let what = "the noisy neighbour of a service";
    table(reader, "noisy-neighbour", NEIGHBOUR_KEYS, what, empty)
}

/// What the tests are told.
pub(super) fn settings(reader: &EntryReader<'_>) -> Result<LoadTestSettings, PlanError> {
    let empty = toml::Table::new();
    let ramp = table(
        reader,
        "ramp-up",
        RAMP_UP_KEYS,
        "the ramp-up of a service",
        &empty,
    )?;
    let surge = table(
        reader,
        "spike",
        SPIKE_KEYS,
        "the spike of a service",
        &empty,
    )?;
    Ok(LoadTestSettings {
        ramp_up: ramp_up(&ramp)?,
        spike: spike(&surge)?,
        neighbour: neighbour(&neighbour_table(reader, &empty)?)?,
        limits: limits(&table(
            reader,
            "limits",
            LIMITS_KEYS,
            "the limits of a service",
            &empty,
        )?)?,
        soak: soak(&table(
            reader,
            "soak",
            SOAK_KEYS,
            "the soak of a service",
            &empty,
        )?)?,
    })
}

/// The table of one test; `empty` where there is none.
fn table<'a>(
    reader: &'a EntryReader<'a>,
    key: &str,
    keys: &'static [EntryKey],
    what: &'static str,
    empty: &'a toml::Table,
) -> Result<EntryReader<'a>, PlanError> {
    Ok(EntryReader {
        table: reader.table(key)?.unwrap_or(empty),
        keys,
        scope: reader.scope,
        origin: reader.origin,
        what,
    })
}

fn ramp_up(reader: &EntryReader<'_>) -> Result<RampUpSettings, PlanError> {
    let usual = RampUpSettings::default();
    let span = |key, usual| -> Result<_, PlanError> {
        let typed = reader.parsed::<Span>(key)?;
        Ok(typed.map_or(usual, Span::as_duration))
    };
    let share = |key, usual| -> Result<_, PlanError> {
        let typed = reader.parsed::<Share>(key)?;
        Ok(typed.unwrap_or(usual))
    };
    Ok(RampUpSettings {
        p99: span("p99", usual.p99)?,
        errors: share("errors", usual.errors)?,
        achieved: share("achieved", usual.achieved)?,
        step: within(reader, "step", usual.step, Duration::from_millis(10))?,
        rounds: rounds(reader, usual.rounds)?,
    })
}

fn spike(reader: &EntryReader<'_>) -> Result<SpikeSettings, PlanError> {
    let usual = SpikeSettings::default();
    let factor = reader.number("factor")?.unwrap_or(usual.factor);
    if !(2..=100).contains(&factor) {
        return Err(reader.invalid("factor", "it must be from 2 to 100"));
    }
    let shortest = Duration::from_millis(200);
    let lasting = within(reader, "lasting", usual.lasting, shortest)?;
    let watched = within(reader, "watched", usual.watched, shortest)?;
    // Windows of whole milliseconds, a twentieth of the spike each; an outcome has 10 000, and 40 come before its end.
    let window = (lasting / 20).as_millis().max(1);
    if watched.as_millis() > 9960 * window {
        let problem = "it must be at most 498 times `lasting`: raise `lasting`, or lower it";
        return Err(reader.invalid("watched", problem));
    }
    let rate = rate(reader)?.unwrap_or(usual.rate);
    if let RequestRate::PerSecond(rate) = rate
        && rate * factor as f64 > 1e6
    {
        let problem =
            "`rate` times `factor` must be at most 1000000 requests per second: lower one of them";
        return Err(reader.invalid("factor", problem));
    }
    Ok(SpikeSettings {
        rate,
        factor,
        lasting,
        watched,
        rounds: rounds(reader, usual.rounds)?,
    })
}

fn soak(reader: &EntryReader<'_>) -> Result<SoakSettings, PlanError> {
    let usual = SoakSettings::default();
    let lasting = reader.parsed::<Span>("lasting")?;
    let lasting = lasting.map_or(usual.lasting, Span::as_duration);
    let possible = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
    if !possible.contains(&lasting) {
        return Err(reader.invalid("lasting", "it must be from `1s` to `24h`"));
    }
    let growth = reader.parsed::<Size>("growth")?;
    Ok(SoakSettings {
        rate: rate(reader)?.unwrap_or(usual.rate),
        lasting,
        growth: growth.map_or(usual.growth, |size| size.0),
    })
}

fn neighbour(reader: &EntryReader<'_>) -> Result<NeighbourSettings, PlanError> {
    let usual = NeighbourSettings::default();
    let connections = reader.number("connections")?.unwrap_or(usual.connections);
    if !(1..=10_000).contains(&connections) {
        return Err(reader.invalid("connections", "it must be from 1 to 10000"));
    }
    let limit = reader.parsed::<Share>("limit")?.unwrap_or(usual.limit);
    if limit.as_fraction() <= 0.0 {
        return Err(reader.invalid("limit", "it must be above `0%`"));
    }
    Ok(NeighbourSettings {
        rate: rate(reader)?.unwrap_or(usual.rate),
        connections,
        limit,
        turn: within(reader, "turn", usual.turn, Duration::from_millis(50))?,
        rounds: rounds(reader, usual.rounds)?,
    })
}

fn rounds(reader: &EntryReader<'_>, usual: usize) -> Result<usize, PlanError> {
    match reader.number("rounds")?.unwrap_or(usual) {
        0 => Err(reader.invalid("rounds", "it must be at least 1")),
        rounds => Ok(rounds),
    }
}
