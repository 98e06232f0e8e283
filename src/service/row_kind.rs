//! The rows of a service: which test each belongs to, and which budgets limit it.

use crate::plan::{LoadTest, Service};
use crate::units::{BenchmarkKey, Metric};

use super::rows::{ComparedRow, row_key};

/// A row of a service in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// One of the plain comparison.
    Compared(ComparedRow),
    /// The time per request at the rate at which it breaks.
    RampUp,
    /// The time until it is as before a spike of the load.
    Spike,
    /// The latency under a long load.
    Soak,
    /// The latency of a tenant beside a noisy neighbour.
    NoisyNeighbour,
    /// The latency where it has less than it needs.
    Limits,
}

impl RowKind {
    /// Those of a test, in the order of reports.
    #[must_use]
    pub fn of_test(test: LoadTest) -> Vec<RowKind> {
        match test {
            LoadTest::Compare => ComparedRow::ALL.map(RowKind::Compared).to_vec(),
            LoadTest::RampUp => vec![RowKind::RampUp],
            LoadTest::Spike => vec![RowKind::Spike],
            LoadTest::Soak => vec![RowKind::Soak],
            LoadTest::NoisyNeighbour => vec![RowKind::NoisyNeighbour],
            LoadTest::Limits => vec![RowKind::Limits],
        }
    }

    /// Those of all tests that a service asks for.
    #[must_use]
    pub fn of_service(service: &Service) -> Vec<RowKind> {
        let tests = service.tests.iter();
        tests.flat_map(|test| RowKind::of_test(*test)).collect()
    }

    /// The test that it belongs to.
    #[must_use]
    pub fn test(self) -> LoadTest {
        match self {
            RowKind::Compared(_) => LoadTest::Compare,
            RowKind::RampUp => LoadTest::RampUp,
            RowKind::Spike => LoadTest::Spike,
            RowKind::Soak => LoadTest::Soak,
            RowKind::NoisyNeighbour => LoadTest::NoisyNeighbour,
            RowKind::Limits => LoadTest::Limits,
        }
    }

    /// The end of its id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RowKind::Compared(row) => row.name(),
            RowKind::RampUp
            | RowKind::Spike
            | RowKind::Soak
            | RowKind::NoisyNeighbour
            | RowKind::Limits => self.test().name(),
        }
    }

    /// The row of this name in reports, if it is one of a service.
    #[must_use]
    pub fn of(key: &BenchmarkKey) -> Option<RowKind> {
        let (_, name) = key
            .id
            .rsplit_once('/')
            .filter(|_| key.target == Service::TARGET)?;
        let mut all = LoadTest::ALL.into_iter().flat_map(RowKind::of_test);
        all.find(|kind| kind.name() == name)
    }

    /// Its name within those of a service.
    #[must_use]
    pub fn key(self, service: &BenchmarkKey) -> BenchmarkKey {
        row_key(service, self.name())
    }

    /// Whether a budget of `metric` speaks of this row: a limit of the median latency is none of its 99th percentile.
    #[must_use]
    pub fn is_limited_by(self, metric: Metric) -> bool {
        let compared = match self {
            RowKind::Compared(row) => row,
            RowKind::RampUp => return metric == Metric::BREAKING_POINT,
            RowKind::Soak => return metric == Metric::MEMORY_GROWTH,
            RowKind::Limits => return metric == Metric::BROKEN_LIMITS,
            RowKind::NoisyNeighbour => {
                return [Metric::NEIGHBOUR_SLOWDOWN, Metric::NEIGHBOUR_LOSS].contains(&metric);
            }
            RowKind::Spike => {
                return [Metric::RECOVERY_TIME, Metric::LOST_REQUESTS].contains(&metric);
            }
        };
        match compared {
            ComparedRow::Throughput => metric == Metric::REQUESTS_PER_SECOND,
            ComparedRow::P50 => metric == Metric::TIME,
            ComparedRow::P95 => metric == Metric::P95,
            ComparedRow::P99 => metric == Metric::P99,
            ComparedRow::Processor => [
                Metric::REQUEST_PROCESSOR_TIME,
                Metric::RESIDENT_MEMORY,
                Metric::OPEN_FILES,
                Metric::THREADS,
                Metric::TIME_TO_READY,
                Metric::ERRORS,
            ]
            .contains(&metric),
        }
    }
}
