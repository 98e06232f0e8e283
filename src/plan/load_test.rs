//! The tests of a service under load, and what each of them can be told.

use std::time::Duration;

use super::limits::LimitsSettings;
use super::request_rate::RequestRate;
use super::value::Share;
use crate::units::Bytes;

/// A kind of test of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum LoadTest {
    /// Throughput, latency and what they cost, of both sides in turns
    Compare,
    /// The rate at which each side breaks
    RampUp,
    /// How each side recovers from a sudden rise of the load
    Spike,
    /// Whether the memory of each side grows under a long load
    Soak,
    /// How much one tenant suffers from the heavy load of another
    NoisyNeighbour,
    /// What happens to each side with less memory, files or connections than it needs
    Limits,
}

impl LoadTest {
    /// All, in the order in which they are run.
    pub const ALL: [LoadTest; 6] = [
        LoadTest::Compare,
        LoadTest::RampUp,
        LoadTest::Spike,
        LoadTest::Soak,
        LoadTest::NoisyNeighbour,
        LoadTest::Limits,
    ];

    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LoadTest::Compare => "compare",
            LoadTest::RampUp => "ramp-up",
            LoadTest::Spike => "spike",
            LoadTest::Soak => "soak",
            LoadTest::NoisyNeighbour => "noisy-neighbour",
            LoadTest::Limits => "limits",
        }
    }

    /// The smallest difference of its rows that counts, where nobody says another; `None`: that of benchmarks.
    #[must_use]
    pub fn threshold(self) -> Option<Share> {
        match self {
            LoadTest::Compare => None,
            // It is bisected to ±3 %.
            LoadTest::RampUp => Some(Share::from_fraction(0.05)),
            // Its windows are a twentieth of the spike.
            LoadTest::Spike => Some(Share::from_fraction(0.1)),
            // One pair of processes may differ by luck.
            LoadTest::Soak => Some(Share::from_fraction(0.1)),
            LoadTest::NoisyNeighbour => Some(Share::from_fraction(0.1)),
            // Its sides are loaded one after the other, and what matters is whether they go on.
            LoadTest::Limits => Some(Share::from_fraction(0.5)),
        }
    }
}

/// The settings of each test of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadTestSettings {
    /// When a side has broken, and how that is found.
    pub ramp_up: RampUpSettings,
    /// How high and long the spike is.
    pub spike: SpikeSettings,
    /// How long the long load is.
    pub soak: SoakSettings,
    /// How much a tenant may suffer.
    pub neighbour: NeighbourSettings,
    /// What limits there are.
    pub limits: LimitsSettings,
}

impl LoadTestSettings {
    /// How many rounds a test has, if it has such a setting; the plain comparison takes the service's own.
    #[must_use]
    pub fn rounds(&mut self, test: LoadTest) -> Option<&mut usize> {
        match test {
            LoadTest::Compare | LoadTest::Soak | LoadTest::Limits => None,
            LoadTest::RampUp => Some(&mut self.ramp_up.rounds),
            LoadTest::Spike => Some(&mut self.spike.rounds),
            LoadTest::NoisyNeighbour => Some(&mut self.neighbour.rounds),
        }
    }
}

/// When a side has broken, and how that is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RampUpSettings {
    /// Above this 99th percentile of the latency it has.
    pub p99: Duration,
    /// Where more than this share of requests fail, it has.
    pub errors: Share,
    /// Where less than this share of the offered requests is answered in time, it has.
    pub achieved: Share,
    /// For how long requests are counted at each rate.
    pub step: Duration,
    /// How many pairs of sides are broken.
    pub rounds: usize,
}

impl Default for RampUpSettings {
    fn default() -> RampUpSettings {
        RampUpSettings {
            p99: Duration::from_millis(100),
            errors: Share::from_fraction(0.01),
            achieved: Share::from_fraction(0.95),
            step: Duration::from_secs(1),
            rounds: 6,
        }
    }
}

/// How high and long a spike is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpikeSettings {
    /// The rate before and after it.
    pub rate: RequestRate,
    /// In it there are so many times as many requests.
    pub factor: usize,
    /// How long it takes, and how long the sides are watched before it.
    pub lasting: Duration,
    /// How long they are watched after it.
    pub watched: Duration,
    /// How many pairs of sides have one.
    pub rounds: usize,
}

impl Default for SpikeSettings {
    fn default() -> SpikeSettings {
        SpikeSettings {
            rate: RequestRate::OfCapacity(Share::from_fraction(0.5)),
            factor: 3,
            lasting: Duration::from_secs(2),
            watched: Duration::from_secs(8),
            rounds: 6,
        }
    }
}

/// How long the long load is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoakSettings {
    /// The rate.
    pub rate: RequestRate,
    /// For how long each side is loaded.
    pub lasting: Duration,
    /// What head may grow more than base in an hour before it counts.
    pub growth: Bytes,
}

impl SoakSettings {
    /// So many blocks at the beginning do not count.
    pub const WARM_UP: usize = 2;

    /// So many do.
    pub const BLOCKS: usize = 12;

    /// How long a side is loaded in one block.
    #[must_use]
    pub fn turn(&self) -> Duration {
        self.lasting
            .div_f64((SoakSettings::WARM_UP + SoakSettings::BLOCKS) as f64)
    }
}

impl Default for SoakSettings {
    fn default() -> SoakSettings {
        SoakSettings {
            rate: RequestRate::OfCapacity(Share::from_fraction(0.8)),
            lasting: Duration::from_secs(600),
            growth: Bytes::from_bytes(10_000_000),
        }
    }
}

/// How much a tenant may suffer from the heavy load of another. What the other one sends is
/// [`Service::neighbours`](super::Service::neighbours).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeighbourSettings {
    /// The rate of the tenant, whose requests are those of the service.
    pub rate: RequestRate,
    /// How many connections the neighbour has; each sends its next request when it has the answer.
    pub connections: usize,
    /// By so much the tenant's p95 may rise and its answers in time may fall.
    pub limit: Share,
    /// How long the tenant is watched in each turn.
    pub turn: Duration,
    /// How many rounds there are.
    pub rounds: usize,
}

impl Default for NeighbourSettings {
    fn default() -> NeighbourSettings {
        NeighbourSettings {
            rate: RequestRate::OfCapacity(Share::from_fraction(0.3)),
            connections: 8,
            limit: Share::from_fraction(0.1),
            turn: Duration::from_secs(1),
            rounds: 6,
        }
    }
}
