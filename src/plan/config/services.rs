//! Services that are compared under load: `[[service]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::PlanError;
use super::super::request_rate::RequestRate;
use super::super::service::{IdleMode, Readiness, RestartMode, Service};
use super::super::value::{Share, Span};
use super::super::workload::{Template, WorkloadCommand};
use super::ValueOrigin;
use super::entry::{EntryKey, EntryKind, EntryReader, EntryScope};
use super::service_amounts::rate;
use super::service_requests::{REQUEST_KEYS, requests};
use super::service_tests::{TABLES, neighbours, settings, tests};

/// The key of the list of services: `[[service]]`.
pub(super) const KEY: &str = "service";

/// The keys of one service, without the tables of its tests.
const OWN_KEYS: &[EntryKey] = &[
    EntryKey::text(
        "name",
        "What its rows in the report begin with [default: its program]",
    ),
    EntryKey::text(
        "command",
        "What is started, for example `{bin:server} --port {port}`; `{bin:NAME}` is a program as built on each side, \
         `{port}` a free port, `{socket}` the path of a Unix socket, `{dir}` the workspace's folder, `{side}` `base` or `head`",
    ),
    EntryKey::of(
        "env",
        EntryKind::Texts,
        "Variables that it gets, with the same places",
    ),
    EntryKey::text(
        "ready",
        "When it takes requests: `port`, a path that it answers (`/health`), or `line: TEXT` on its output [default: port]",
    ),
    EntryKey::text(
        "start-within",
        "How long it may take until it is ready [default: 30s]",
    ),
    EntryKey::text(
        "stop-within",
        "How long it may take to end after SIGTERM [default: 10s]",
    ),
    EntryKey::text(
        "idle",
        "What the waiting side does: `stop` (SIGSTOP) or `run` [default: stop]",
    ),
    EntryKey::of(
        "restart",
        EntryKind::Switch,
        "Start fresh processes in each round [default: true]",
    ),
    EntryKey::of(
        "connections",
        EntryKind::Number,
        "How many connections there are [default: 8]",
    ),
    EntryKey::text(
        "rate",
        "How fast latency is measured: a share of base's capacity (`60%`) or requests per second (`500/s`) [default: 60%]",
    ),
    EntryKey::text(
        "slice",
        "How long each side is loaded in a round at the fixed rate, and as long again as fast as it answers, in four turns \
         [default: 2s]",
    ),
    EntryKey::of(
        "rounds",
        EntryKind::Number,
        "Maximum number of rounds, each with a slice of each kind and side [default: 12]",
    ),
    EntryKey::of(
        "request",
        EntryKind::Tables(REQUEST_KEYS),
        "What is sent, at least one",
    ),
    EntryKey::of(
        "tests",
        EntryKind::Words,
        "How it is tested: `compare`, `ramp-up`, `spike`, `soak`, `noisy-neighbour`, `limits` [default: compare]",
    ),
    EntryKey::of(
        "data",
        EntryKind::Texts,
        "What it works on, for the report: `rows = \"1000000\"`",
    ),
];

/// The keys of one service.
pub(super) fn keys() -> Vec<EntryKey> {
    [OWN_KEYS, &TABLES].concat()
}

/// Reads one service.
pub(super) fn read(
    table: &toml::Table,
    scope: EntryScope<'_>,
    origin: &ValueOrigin,
) -> Result<Service, PlanError> {
    let keys = keys();
    let reader = EntryReader {
        table,
        keys: &keys,
        scope,
        origin,
        what: "a service",
    };
    let command = reader
        .text("command")?
        .ok_or_else(|| reader.invalid("command", "every service needs one"))?;
    let command =
        WorkloadCommand::split(command).map_err(|problem| reader.invalid("command", problem))?;
    let span = |key, default| -> Result<Duration, PlanError> {
        let typed = reader.parsed::<Span>(key)?;
        Ok(typed.map_or(Duration::from_secs(default), Span::as_duration))
    };
    let service = Service {
        name: match reader.text("name")? {
            Some("") => return Err(reader.invalid("name", "it is empty")),
            Some(name) => name.to_owned(),
            None => match command.program() {
                Some(program) => program.name.clone(),
                None => command.to_string(),
            },
        },
        env: env(&reader)?,
        ready: readiness(&reader)?,
        start_within: span("start-within", 30)?,
        stop_within: span("stop-within", 10)?,
        idle: match reader.text("idle")? {
            None | Some("stop") => IdleMode::Stop,
            Some("run") => IdleMode::Run,
            Some(_) => return Err(reader.invalid("idle", "it must be `stop` or `run`")),
        },
        restart: match reader.switch("restart")? {
            Some(false) => RestartMode::Never,
            _ => RestartMode::EachRound,
        },
        requests: requests(&reader, scope, origin)?,
        connections: at_least(&reader, "connections", 1, 8)?,
        rate: rate(&reader)?.unwrap_or(RequestRate::OfCapacity(Share::from_fraction(0.6))),
        slice: span("slice", 2)?,
        rounds: at_least(&reader, "rounds", 2, 12)?,
        data: owned(reader.texts("data")?),
        tests: tests(&reader)?,
        settings: settings(&reader)?,
        neighbours: neighbours(&reader)?,
        command,
    };
    if service.place().is_none() {
        let problem = "it does not say where to listen: write `{port}` or `{socket}` in it, or in a variable of `env`";
        return Err(reader.invalid("command", problem));
    }
    Ok(service)
}

fn owned(texts: Vec<(&str, &str)>) -> BTreeMap<String, String> {
    let texts = texts.into_iter();
    texts
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn env(reader: &EntryReader<'_>) -> Result<BTreeMap<String, Template>, PlanError> {
    let texts = reader.texts("env")?.into_iter();
    let variables = texts.map(|(name, value)| Ok((name.to_owned(), Template::parse(value)?)));
    variables
        .collect::<Result<_, _>>()
        .map_err(|problem: String| reader.invalid("env", problem))
}

fn readiness(reader: &EntryReader<'_>) -> Result<Readiness, PlanError> {
    let Some(text) = reader.text("ready")? else {
        return Ok(Readiness::Port);
    };
    if text == "port" {
        return Ok(Readiness::Port);
    }
    if let Some(line) = text.strip_prefix("line:") {
        return Ok(Readiness::Line(line.trim().to_owned()));
    }
    match text.starts_with('/') {
        true => Ok(Readiness::Path(text.to_owned())),
        false => Err(reader.invalid(
            "ready",
            "it must be `port`, a path (`/health`), or `line: TEXT`",
        )),
    }
}

fn at_least(
    reader: &EntryReader<'_>,
    key: &str,
    fewest: usize,
    default: usize,
) -> Result<usize, PlanError> {
    let number = reader.number(key)?.unwrap_or(default);
    match number >= fewest {
        true => Ok(number),
        false => Err(reader.invalid(key, format!("it must be at least {fewest}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::load_test::LoadTest;
    use super::*;

    fn service(text: &str) -> Result<Service, PlanError> {
        read(
            &text.parse().unwrap(),
            EntryScope::Workspace,
            &ValueOrigin::Default,
        )
    }

    const SHORT: &str = "command = '{bin:server} --port {port}'\nrequest = [{ path = '/items' }]\n";

    #[test]
    fn a_command_and_a_path_are_enough() {
        let service = service(SHORT).unwrap();
        assert_eq!(service.name, "server");
        assert_eq!(service.programs().len(), 1);
        assert_eq!(service.ready, Readiness::Port);
        assert_eq!(service.rounds, 12);
        let only = &service.requests[0];
        assert_eq!((only.method.as_str(), only.status), ("GET", 200));
    }

    #[test]
    fn an_entry_says_everything_about_a_service() {
        let service = service(
            r#"
            name = "api"
            command = "{bin:server}"
            env = { LISTEN = "{socket}" }
            ready = "line: listening on"
            idle = "run"
            restart = false
            rate = "500/s"
            slice = "1s"
            data = { rows = "1000" }
            [[request]]
            path = "/items?limit=10"
            weight = 20
            [[request]]
            method = "POST"
            path = "/items"
            headers = { Authorization = "$TOKEN" }
            body = "{}"
            status = 201
            contains = "id"
            "#,
        )
        .unwrap();
        assert_eq!(service.ready, Readiness::Line("listening on".to_owned()));
        assert_eq!(
            (service.idle, service.restart),
            (IdleMode::Run, RestartMode::Never)
        );
        assert_eq!(service.rate, RequestRate::PerSecond(500.0));
        assert_eq!(service.requests.len(), 2);
        assert_eq!(service.data["rows"], "1000");
    }

    #[test]
    fn tests_are_asked_for_by_name_and_told_in_their_tables() {
        let text = "tests = ['limits', 'soak', 'noisy-neighbour', 'ramp-up', 'spike', 'compare']\n\
            ramp-up = { p99 = '20ms', errors = '0%', step = '2s' }\n";
        let service = service(&format!("{text}{SHORT}")).unwrap();
        assert_eq!(service.tests, LoadTest::ALL);
        let ramp = service.settings.ramp_up;
        assert_eq!(ramp.p99, Duration::from_millis(20));
        assert_eq!((ramp.errors.as_fraction(), ramp.rounds), (0.0, 6));
    }

    #[test]
    fn what_cannot_be_loaded_is_refused_with_its_place() {
        for (text, problem) in [
            ("name = 'x'", "every service needs one"),
            (
                "command = '{bin:server}'\nrequest = [{ path = '/' }]",
                "{port}",
            ),
            ("command = 'x {port}'", "nothing would be sent"),
            (
                "command = 'x {port}'\nrequest = [{ path = 'x' }]",
                "begin with `/`",
            ),
            (
                "command = 'x {port}'\nrequest = [{ path = '/', status = 99 }]",
                "100 to 599",
            ),
            (
                "command = 'x {port}'\nrequest = [{ path = '/', headers = { A = 'Bearer $TOKEN' } }]",
                "`$TOKEN` has to be the whole value",
            ),
            ("command = 'x {port}'\nrequest = 3", "[[service.request]]"),
        ] {
            let error = service(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(
                error.contains("of a service in") || error.contains("of a request of"),
                "{error}"
            );
        }
        for (key, problem) in [
            ("tests = ['spikes']", "`spike`, `soak`"),
            ("tests = []", "name at least one"),
            (
                "ramp-up = { rounds = 0 }",
                "`rounds` of the ramp-up of a service",
            ),
            ("ramp-up = 3", "[service.ramp-up]"),
            ("limits = { by = 'quota' }", "`auto` or `prlimit`"),
            ("limits = { of = ['disk'] }", "`memory`, `files`"),
            ("ready = 'soon'", "/health"),
            ("idle = 'sleep'", "`stop` or `run`"),
            ("rate = '120%'", "between"),
            ("rate = '0/s'", "from `0.001/s`"),
            ("rounds = 1", "at least 2"),
        ] {
            let error = service(&format!("{key}\n{SHORT}")).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
