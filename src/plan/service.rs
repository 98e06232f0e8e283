//! Services that are compared under load.

use std::collections::BTreeMap;
use std::time::Duration;

use super::load_test::{LoadTest, LoadTestSettings};
use super::request_rate::RequestRate;
use super::workload::{ProgramName, Template, WorkloadCommand};

/// A service: how it is started, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// What its rows in the report begin with.
    pub name: String,
    /// What is started. `{port}` or `{socket}` stands for where it has to listen.
    pub command: WorkloadCommand,
    /// Variables that it gets.
    pub env: BTreeMap<String, Template>,
    /// When it takes requests.
    pub ready: Readiness,
    /// How long it may take until then.
    pub start_within: Duration,
    /// How long it may take to end after SIGTERM.
    pub stop_within: Duration,
    /// What its idle side does.
    pub idle: IdleMode,
    /// Whether each round has fresh processes.
    pub restart: RestartMode,
    /// What is sent.
    pub requests: Vec<ServiceRequest>,
    /// How many connections there are.
    pub connections: usize,
    /// How fast latency is measured.
    pub rate: RequestRate,
    /// How long each side is loaded in a round at the fixed rate, and as long again as fast as it answers.
    pub slice: Duration,
    /// At most this many rounds.
    pub rounds: usize,
    /// What the data are that it works on, for the report.
    pub data: BTreeMap<String, String>,
    /// How it is tested, in this order; at least one.
    pub tests: Vec<LoadTest>,
    /// The settings of each test.
    pub settings: LoadTestSettings,
    /// What the noisy neighbour sends.
    pub neighbours: Vec<ServiceRequest>,
}

/// When a service takes requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It accepts a connection.
    Port,
    /// It answers this path with a status below 400.
    Path(String),
    /// It writes a line that contains this text.
    Line(String),
}

/// What the waiting side does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleMode {
    /// It is stopped.
    Stop,
    /// It runs on.
    Run,
}

/// Whether each round has fresh processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartMode {
    /// It has.
    EachRound,
    /// One pair of processes lives through all of them.
    Never,
}

/// A request, and what is expected of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// Headers; a value `$NAME` is that of an environment variable.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// How often it is sent, relative to the others.
    pub weight: u32,
    /// The status that the answer must have.
    pub status: u16,
    /// What the answer's body must contain.
    pub contains: Option<String>,
}

/// The address that a service gets to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenPlace {
    /// A port of this machine, `{port}`.
    Port,
    /// A Unix socket, `{socket}`.
    Socket,
}

impl ListenPlace {
    /// What stands for it in a command or a variable.
    #[must_use]
    pub fn placeholder(self) -> &'static str {
        match self {
            ListenPlace::Port => "{port}",
            ListenPlace::Socket => "{socket}",
        }
    }
}

impl Service {
    /// The bench target that services have in reports, rules and budgets.
    pub const TARGET: &str = "service";

    /// The first part of each slice, as a share of it, is not counted: timers that were stopped fire at once, and caches
    /// are cold.
    pub const DISCARDED: f64 = 0.25;

    /// In so many turns each side gets its slice of a round: alternating, so that drifts cancel.
    pub const TURNS: u32 = 4;

    /// The address that it gets to listen on; `None` if its configuration names none.
    #[must_use]
    pub fn place(&self) -> Option<ListenPlace> {
        let words = self.command.templates().iter();
        let texts: Vec<&str> = words
            .chain(self.env.values())
            .flat_map(Template::texts)
            .collect();
        let has = |place: &ListenPlace| texts.iter().any(|text| text.contains(place.placeholder()));
        [ListenPlace::Port, ListenPlace::Socket]
            .into_iter()
            .find(has)
    }

    /// The programs of the workspace that it names, each once.
    #[must_use]
    pub fn programs(&self) -> Vec<ProgramName> {
        let words = self.command.templates().iter();
        let all = words.chain(self.env.values());
        let mut programs: Vec<ProgramName> = all.flat_map(Template::programs).cloned().collect();
        programs.sort();
        programs.dedup();
        programs
    }
}
