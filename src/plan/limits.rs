//! What limits a service is tested at, and how.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request_rate::RequestRate;
use super::value::Share;

/// What a service has less of than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitKind {
    /// Memory.
    Memory,
    /// Open files.
    Files,
    /// Room for connections: more of them are opened at once.
    Connections,
    /// Threads and processes.
    Tasks,
    /// Processor time.
    Processor,
}

impl LimitKind {
    /// All, in the order in which they are tested.
    pub const ALL: [LimitKind; 5] = [
        LimitKind::Memory,
        LimitKind::Files,
        LimitKind::Connections,
        LimitKind::Tasks,
        LimitKind::Processor,
    ];

    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LimitKind::Memory => "memory",
            LimitKind::Files => "files",
            LimitKind::Connections => "connections",
            LimitKind::Tasks => "tasks",
            LimitKind::Processor => "processor",
        }
    }
}

/// Some kinds of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitKinds([Option<LimitKind>; 5]);

impl LimitKinds {
    /// All of them.
    pub const ALL: LimitKinds = LimitKinds([
        Some(LimitKind::Memory),
        Some(LimitKind::Files),
        Some(LimitKind::Connections),
        Some(LimitKind::Tasks),
        Some(LimitKind::Processor),
    ]);

    /// Only these.
    #[must_use]
    pub fn of(kinds: &[LimitKind]) -> LimitKinds {
        LimitKinds(LimitKind::ALL.map(|kind| kinds.contains(&kind).then_some(kind)))
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn has(self, kind: LimitKind) -> bool {
        self.0.contains(&Some(kind))
    }
}

/// By what limits are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitBy {
    /// Control groups where perfcheck may make them, else limits of the process.
    Auto,
    /// Limits of the process alone.
    Process,
}

/// What limits a service is tested at, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitsSettings {
    /// The rate of the ordinary load.
    pub rate: RequestRate,
    /// How long a side is loaded at each limit.
    pub step: Duration,
    /// How many connections there are where there are too many; `None`: four times the service's own.
    pub connections: Option<usize>,
    /// Which limits.
    pub kinds: LimitKinds,
    /// By what they are set.
    pub by: LimitBy,
}

impl LimitsSettings {
    /// How much of what it needs a service has, in per cent, one step each.
    pub const SHARES: [u8; 3] = [100, 90, 80];

    /// A limit that one side withstands and the other does not is tried so many times in all, with fresh processes.
    ///
    /// Were both alike and each break with probability p, all of them would go the same way with probability (p (1 − p))⁵, which
    /// is at most 0.1 % (a sign test on discordant pairs, McNemar 1947).
    pub const ATTEMPTS: usize = 5;

    /// At most so many steps.
    pub const MOST_STEPS: usize = 14;
}

impl Default for LimitsSettings {
    fn default() -> LimitsSettings {
        LimitsSettings {
            rate: RequestRate::OfCapacity(Share::from_fraction(0.5)),
            step: Duration::from_secs(2),
            connections: None,
            kinds: LimitKinds::ALL,
            by: LimitBy::Auto,
        }
    }
}
