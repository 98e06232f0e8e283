//! A report of services under load.

use cargo_perfcheck::analyse::Verdict;
use cargo_perfcheck::load_generator::{NotUsable, Percentile};
use cargo_perfcheck::measure::Failure;
use cargo_perfcheck::plan::LimitKind;
use cargo_perfcheck::report::Report;
use cargo_perfcheck::service::{
    BreakReason, LimitCourse, LimitMeans, LimitOutcome, LimitPressure, LimitStep, LimitsResult,
    LoadTestResult, MemoryGrowth, NeighbourCourse, NeighbourResult, ProcessEnd, RampUpCourse,
    RampUpEnd, RampUpResult, RampUpStep, ServiceNeeds, SoakBlock, SoakResult, SpikeCourse,
    SpikeEnd, SpikeResult, TenantView,
};
use cargo_perfcheck::units::{BenchmarkKey, Paired, Side};

use super::super::builder::{timed, with};

/// Services under load, in every way in which they are tested.
pub(crate) fn load_tests() -> Report {
    let key = |test: &str| BenchmarkKey::new("api", "service", &format!("api/{test}"));
    let row = |test: &str, verdict, change| {
        let mut row = timed("", verdict, 2e6, change, 0.02);
        row.key = key(test);
        row
    };
    let mut report = with(vec![
        row("ramp-up", Verdict::Slower, 0.3),
        row("spike", Verdict::Unchanged, 0.01),
        row("soak", Verdict::Unchanged, 0.0),
        row("noisy-neighbour", Verdict::Slower, 2.0),
    ]);
    report.load_tests = vec![
        LoadTestResult::RampUp(ramp_up(key("ramp-up"))),
        LoadTestResult::Spike(spike(key("spike"))),
        LoadTestResult::Soak(soak(key("soak"))),
        LoadTestResult::NoisyNeighbour(noisy_neighbour(key("noisy-neighbour"))),
    ];
    report
}

/// A service with less than it needs.
pub(crate) fn limits_test() -> Report {
    let key = BenchmarkKey::new("api", "service", "api/limits");
    let mut row = timed("", Verdict::Unchanged, 2e6, 0.0, 0.02);
    row.key = key.clone();
    let mut report = with(vec![row]);
    report.load_tests = vec![LoadTestResult::Limits(limits(key))];
    report
}

fn ramp_up(key: BenchmarkKey) -> RampUpResult {
    let step = |rate: f64, broken: &[BreakReason]| RampUpStep {
        rate,
        achieved: rate * 0.99,
        percentile: Percentile::P99,
        latency_ns: Some(rate * 1e5),
        errors: 0.002,
        broken: broken.to_vec(),
    };
    let course = |point: f64, because: &[BreakReason], death: Option<Failure>| RampUpCourse {
        steps: vec![step(point * 0.97, &[]), step(point * 1.03, because)],
        end: RampUpEnd::Broke {
            held: point * 0.97,
            broken: point * 1.03,
            because: because.to_vec(),
            death,
        },
    };
    let death = Failure {
        side: Side::Head,
        reason: "was ended by signal 6 under load".into(),
        stderr_tail: "opening\nqueue is full\u{1b}[2J".into(),
    };
    let lost = RampUpCourse {
        steps: Vec::new(),
        end: RampUpEnd::Generator {
            because: NotUsable::Saturated { share: 0.97 },
        },
    };
    let slow = [BreakReason::Behind, BreakReason::Slow];
    let rounds = vec![
        Paired::new(
            course(1000.0, &slow, None),
            course(700.0, &[BreakReason::Died], Some(death)),
        ),
        Paired::new(course(1040.0, &slow[1..], None), lost),
    ];
    RampUpResult {
        key,
        p99_ns: 1e8,
        percentile: Some(Percentile::P99),
        errors: 0.01,
        achieved: 0.95,
        rounds,
    }
}

fn spike(key: BenchmarkKey) -> SpikeResult {
    let course = |slow: usize, end| SpikeCourse {
        latencies_ns: (0..80)
            .map(|at| match (20..40 + slow).contains(&at) {
                true => Some(3e8),
                false => (at != 70).then_some(4e6),
            })
            .collect(),
        failed: (0..80).map(|at| u64::from(at == 41) * 17).collect(),
        before_ns: 4e6,
        lost: 17,
        of: 40_000,
        end,
    };
    let recovered = course(5, SpikeEnd::Recovered { windows: 5 });
    let stuck = course(40, SpikeEnd::NotRecovered { windows: 40 });
    SpikeResult {
        key,
        rate: 500.0,
        high: 1500.0,
        window_seconds: 0.1,
        percentile: Percentile::P95,
        rounds: vec![Paired::new(recovered, stuck)],
    }
}

fn soak(key: BenchmarkKey) -> SoakResult {
    let block = |at: u64, growth: u64| SoakBlock {
        requests: 5000,
        resident: 40_000_000 + at * growth,
        latency_ns: (at != 3).then_some(2e6),
    };
    let growth = |bytes: f64| MemoryGrowth {
        bytes_per_request: bytes,
        lower: bytes - 12.5,
        upper: bytes + 12.5,
        confidence: 0.95,
    };
    SoakResult {
        key,
        rate: 800.0,
        percentile: Percentile::P95,
        blocks: (0..14)
            .map(|at| Paired::new(block(at, 0), block(at, 1_000_000)))
            .collect(),
        warm_up_blocks: 2,
        growth: Paired::new(Some(growth(0.0)), Some(growth(200.0))),
        difference: Some(growth(200.0)),
    }
}

fn noisy_neighbour(key: BenchmarkKey) -> NeighbourResult {
    let view = |latency: Option<f64>, answered| TenantView {
        latency_ns: latency,
        answered,
    };
    let course = |beside: Option<f64>, refused| NeighbourCourse {
        alone: view(Some(4e6), 1.0),
        beside: view(beside, 0.93),
        neighbour_rate: 900.0,
        neighbour_refused: refused,
    };
    NeighbourResult {
        key,
        rate: 100.0,
        percentile: Percentile::P95,
        limit: 0.1,
        rounds: vec![
            Paired::new(course(Some(4.1e6), 0.0), course(Some(1.6e7), 0.251)),
            Paired::new(course(None, 0.0), course(Some(1.7e7), 0.25)),
        ],
    }
}

fn limits(key: BenchmarkKey) -> LimitsResult {
    let course = |outcome, answered: f64, last_words: &str| LimitCourse {
        outcome,
        answered,
        latency_ns: (answered > 0.0).then_some(2e6),
        again: answered > 0.0,
        last_words: last_words.into(),
    };
    let served = || course(LimitOutcome::Served, 1.0, "");
    let refused = || course(LimitOutcome::Refused, 0.812, "");
    let died = || {
        let end = ProcessEnd::Signal { signal: 6 };
        course(
            LimitOutcome::Died { end },
            0.0,
            "memory allocation of 67108864 bytes failed\u{1b}[2J",
        )
    };
    let hung = || course(LimitOutcome::Hung, 0.0, "");
    let step = |pressure, limit, base: LimitCourse, head: LimitCourse, times| LimitStep {
        pressure,
        limit,
        attempts: vec![Paired::new(base, head); times],
    };
    let needs = |memory| ServiceNeeds {
        memory,
        resident: memory / 8,
        files: 12,
        tasks: 9,
        processors: 0.43,
        achieved: 499.5,
        latency_ns: Some(1.9e6),
    };
    let memory = |percent| LimitPressure::Memory { percent };
    let count = 32;
    LimitsResult {
        key,
        rate: 500.0,
        means: LimitMeans::Prlimit,
        needs: Paired::new(needs(280_000_000), needs(284_000_000)),
        steps: vec![
            step(memory(100), Some(280e6), served(), served(), 1),
            step(memory(80), Some(224e6), refused(), died(), 5),
            step(
                LimitPressure::Files { percent: 80 },
                Some(9.0),
                hung(),
                hung(),
                1,
            ),
            step(
                LimitPressure::Connections { count },
                None,
                served(),
                refused(),
                1,
            ),
            step(
                LimitPressure::ConnectionsBeyondFiles { count },
                Some(12.0),
                course(LimitOutcome::Slowed, 0.9, ""),
                course(LimitOutcome::Dropped, 0.7, ""),
                1,
            ),
        ],
        left_out: vec![LimitKind::Tasks, LimitKind::Processor],
    }
}
