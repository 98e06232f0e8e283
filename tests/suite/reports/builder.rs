//! Reports as a run leaves them, written down in a few words.

use std::collections::BTreeMap;

use cargo_perfcheck::analyse::{
    AllocationSite, Change, Comparison, Direction, IterationsPerSample, Observed, Quartiles,
    RatioEstimate, RoundSummary, SampleSummary, Verdict,
};
use cargo_perfcheck::discover::{SkippedTarget, TargetOutcome};
use cargo_perfcheck::judge::{
    Basis, BudgetCheck, BudgetStatus, BudgetSubject, Decision, Evidence, check_claims, judge,
};
use cargo_perfcheck::measure::{CodeOwner, Failure, Pairing};
use cargo_perfcheck::plan::{AllocationPolicy, OnMore};
use cargo_perfcheck::report::{
    Commit, Locking, MachineClass, Methodology, MetricTable, Range, Report, RunEnvironment,
    SCHEMA_VERSION, StageTiming,
};
use cargo_perfcheck::units::{BenchmarkKey, Form, Metric, Paired, Ratio, Side, Timestamp};

/// The id that tries every trick at once.
pub(crate) const HOSTILE: &str = "</script><img src=x onerror=alert(1)> | `code` **bold** @all #1 \\| \u{1b}[31mred\n\u{202e}drow [x](javascript:1) & \"quoted\" 'single' ]]> ::error::x %0A";

/// A report about no benchmark.
pub(crate) fn report() -> Report {
    let criterion = BTreeMap::from([("codec".to_owned(), "0.8.2".to_owned())]);
    Report {
        schema_version: SCHEMA_VERSION,
        perfcheck_version: "0.1.0".into(),
        metrics: MetricTable,
        date: Some(Timestamp::from_unix(1_795_992_015)),
        decision: Decision::of(Vec::new()),
        range: Range {
            spec: "main..HEAD".into(),
            base: commit("main", '1', "Write the release notes"),
            head: commit("HEAD", '2', "Intern the strings of the parser"),
        },
        environment: RunEnvironment {
            machine: MachineClass {
                cpu: "Example CPU".into(),
                cores: 8,
                virtualised: Some("kvm".into()),
            },
            memory_bytes: 16 << 30,
            os: "Debian GNU/Linux 13".into(),
            kernel: "6.12.0".into(),
            load_at_start: 0.31,
            steal: Some(0.002),
            rustc: Paired::new("rustc 1.95.0".into(), "rustc 1.95.0".into()),
            cargo: Paired::new("cargo 1.95.0".into(), "cargo 1.95.0".into()),
            host: "x86_64-unknown-linux-gnu".into(),
            profile: "bench".into(),
            criterion: Paired::new(criterion.clone(), criterion),
            locking: Locking::Tracked,
            toolchain: None,
            place: None,
            carried: Vec::new(),
        },
        methodology: Methodology {
            seed: 42,
            max_rounds: 30,
            threshold: 0.01,
            confidence: 0.95,
            family_size: 1,
            correction: "Bonferroni".into(),
            order: "sides in balanced random order".into(),
            warm_up_seconds: 0.1,
            measurement_seconds: 0.5,
            sample_size: 20,
            pinning: "one processor for both sides".into(),
            layouts: None,
            command_line: vec!["main..HEAD".into(), "--seed".into(), "42".into()],
            partition: None,
            timings: vec![
                StageTiming {
                    stage: "build".into(),
                    seconds: 41.7,
                },
                StageTiming {
                    stage: "measure".into(),
                    seconds: 96.2,
                },
            ],
        },
        confounders: Vec::new(),
        warnings: Vec::new(),
        benchmarks: Vec::new(),
        skipped: Vec::new(),
        budgets: Vec::new(),
        claims: Vec::new(),
        standings: Vec::new(),
        reach: None,
        partial: None,
        basis: Some(Basis {
            allocations: Some(AllocationPolicy {
                threshold: Ratio::from_change(0.01),
                on_more: OnMore::Modify,
            }),
            ..Basis::default()
        }),
        attributions: Vec::new(),
        load_tests: Vec::new(),
        places: Vec::new(),
    }
}

fn commit(label: &str, digit: char, subject: &str) -> Commit {
    Commit {
        label: label.into(),
        commit: digit.to_string().repeat(40),
        short_id: digit.to_string().repeat(7),
        subject: subject.into(),
        date: Some(Timestamp::from_unix(1_795_000_000)),
        working_tree: false,
    }
}

/// A report about these benchmarks, with the vote that they deserve.
pub(crate) fn with(benchmarks: Vec<Comparison>) -> Report {
    let mut report = report();
    report.methodology.family_size = benchmarks.iter().filter(|b| b.time().is_some()).count();
    report.benchmarks = benchmarks;
    judged(report)
}

/// The report with the vote that its findings deserve.
pub(crate) fn judged(mut report: Report) -> Report {
    let basis = report.basis.clone().unwrap_or_default();
    report.claims = check_claims(&report.benchmarks, &basis);
    report.decision = judge(Evidence {
        comparisons: &report.benchmarks,
        targets: &report.skipped,
        budgets: &report.budgets,
        claims: &report.claims,
        shortfalls: report.partial.as_ref().map_or(&[], |p| &p.shortfalls),
        uncovered: report.reach.as_ref().map_or(&[], |reach| &reach.uncovered),
        basis: &basis,
    });
    report
}

/// A benchmark of the package `codec` and its target `codec`.
pub(crate) fn benchmark(id: &str, verdict: Verdict) -> Comparison {
    Comparison::unobserved(BenchmarkKey::new("codec", "codec", id), verdict)
}

/// One that was timed: `change` and the half width of its interval are shares.
pub(crate) fn timed(
    id: &str,
    verdict: Verdict,
    base_ns: f64,
    change: f64,
    half: f64,
) -> Comparison {
    let mut comparison = benchmark(id, verdict);
    comparison.pairing = Some(Pairing::Sample);
    observe(
        &mut comparison,
        Paired::new(Some(base_ns), Some(base_ns * (1.0 + change))),
    );
    let time = comparison.metrics.entry(Metric::TIME);
    time.estimate = Some(RatioEstimate {
        ratio: Ratio::from_change(change),
        lower: Ratio::from_change(change - half),
        upper: Ratio::from_change(change + half),
        p_value: if change.abs() > half { 0.000_02 } else { 0.41 },
        confidence: 0.99,
        rounds: 12,
        detectable: half * 1.4,
    });
    time.direction = match change {
        c if c > half => Some(Direction::More),
        c if c < -half => Some(Direction::Fewer),
        _ => None,
    };
    time.rounds = rounds(base_ns, change, half);
    for observed in [&mut time.sides.base, &mut time.sides.head] {
        if let Some(Observed {
            value,
            samples: Some(samples),
            ..
        }) = observed
        {
            samples.quantiles = quantiles(*value);
        }
    }
    comparison
}

/// What the clock shows where a typical iteration takes so many nanoseconds on each side.
fn observe(comparison: &mut Comparison, typical: Paired<Option<f64>>) {
    let shares = [
        (Metric::MEAN, 1.004),
        (Metric::TIME, 1.0),
        (Metric::P95, 1.03),
        (Metric::P99, 1.08),
        (Metric::STD_DEV, 0.012),
    ];
    let changes = shares.map(|(metric, share)| {
        let of = |ns: Option<f64>| ns.map(|ns| Observed::sampled(ns * share));
        let change = Change {
            sides: typical.map(of),
            ..Change::default()
        };
        (metric, change)
    });
    comparison.metrics.extend(changes);
    let time = comparison.metrics.entry(Metric::TIME);
    for observed in [&mut time.sides.base, &mut time.sides.head]
        .into_iter()
        .flatten()
    {
        // A tenth of a second for 20 samples: one iteration each where it is long.
        let iterations = ((5e6 / observed.value) as u64).max(1);
        observed.samples = Some(SampleSummary {
            count: 240,
            iterations: Some(samples_of(iterations)),
            quantiles: Vec::new(),
        });
    }
}

fn samples_of(iterations: u64) -> IterationsPerSample {
    IterationsPerSample {
        fewest: iterations,
        most: iterations,
    }
}

/// A distribution with a long tail to the right.
fn quantiles(ns: f64) -> Vec<f64> {
    let at = |i: i32| ns * (0.98 + 0.001 * f64::from(i) + 0.08 * (f64::from(i) / 20.0).powi(6));
    (0..=20).map(at).collect()
}

/// Twelve rounds that wander around the change without chance.
fn rounds(base_ns: f64, change: f64, half: f64) -> Vec<RoundSummary> {
    (0..12)
        .map(|i| {
            let wander = half * 1.5 * (f64::from(i) * 2.4).sin();
            let ratio = 1.0 + change + wander;
            let middle = |level: f64| Quartiles {
                lower: level * 0.99,
                upper: level * 1.01,
            };
            let level = base_ns * (1.0 - wander / 3.0);
            RoundSummary {
                ratio: Ratio::from_quotient(ratio),
                value: Paired::new(level, level * ratio),
                pairing: Pairing::Sample,
                quartiles: Some(Paired::new(middle(level), middle(level * ratio))),
            }
        })
        .collect()
}

/// One that only one side has.
pub(crate) fn one_sided(id: &str, side: Side, ns: f64) -> Comparison {
    let (verdict, typical) = match side {
        Side::Base => (Verdict::Removed, Paired::new(Some(ns), None)),
        Side::Head => (Verdict::Added, Paired::new(None, Some(ns))),
    };
    let mut comparison = benchmark(id, verdict);
    observe(&mut comparison, typical);
    comparison
}

/// One that panicked on the head side.
pub(crate) fn failed(id: &str) -> Comparison {
    let mut comparison = benchmark(id, Verdict::Failed);
    comparison.failure = Some(Failure {
        side: Side::Head,
        reason: "exited with status 101".into(),
        stderr_tail: "thread 'main' panicked at benches/codec.rs:12:9:\nindex out of bounds: the len is 3 but the index is 3\n".into(),
    });
    comparison
}

/// The same, with allocations counted.
pub(crate) fn allocating(
    mut comparison: Comparison,
    base: (f64, f64),
    head: (f64, f64),
) -> Comparison {
    let counted = [
        (Metric::ALLOCATIONS, base.0, head.0),
        (Metric::REALLOCATIONS, 0.0, 0.0),
        (Metric::FREES, base.0, head.0),
        (Metric::BYTES, base.1, head.1),
        (Metric::PEAK, base.1, head.1),
        (Metric::LEFT_BEHIND, 0.0, 0.0),
        (Metric::LARGEST, base.1, head.1),
    ];
    let changes = counted.map(|(metric, base, head)| (metric, counted_as(base, head)));
    comparison.metrics.extend(changes);
    let sizes = |count: f64| vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, count];
    comparison.request_sizes = Some(Paired::new(base.0, head.0).map(sizes));
    comparison.sites = vec![AllocationSite {
        function: "codec::parse::unescape".into(),
        location: Some("codec/src/parse.rs:88".into()),
        stack: vec![
            "codec::parse::parse".into(),
            "codec::parse::unescape".into(),
        ],
        count: Paired::new(base.0, head.0),
        bytes: Paired::new(base.1, head.1),
        left_behind: Paired::new(0.0, 0.0),
        origin: CodeOwner::Workspace,
    }];
    comparison
}

/// A metric that is the same in every iteration of a side.
pub(crate) fn counted_as(base: f64, head: f64) -> Change {
    Change {
        sides: Paired::new(base, head).map(|count| Some(Observed::exactly(count))),
        direction: Some(match base.total_cmp(&head) {
            std::cmp::Ordering::Less => Direction::More,
            std::cmp::Ordering::Equal => Direction::Same,
            std::cmp::Ordering::Greater => Direction::Fewer,
        }),
        ..Change::default()
    }
}

/// A budget of a benchmark of `codec`, with what head uses of it.
pub(crate) fn budget(
    id: &str,
    metric: Metric,
    limit: f64,
    (head, status): (f64, BudgetStatus),
) -> BudgetCheck {
    BudgetCheck {
        subject: BudgetSubject::Benchmark(benchmark(id, Verdict::Unchanged).key),
        metric,
        iterations_per_sample: (metric.form == Form::Percentile).then_some(IterationsPerSample {
            fewest: 5,
            most: 100,
        }),
        limit,
        investigate: Some(limit * 0.8),
        base: Some(head * 0.9),
        head: Some(head),
        certain: Some(head * 0.98),
        used: Some(head / limit),
        status,
        note: None,
    }
}

/// A target that was not measured.
pub(crate) fn skipped(target: &str, reason: &str) -> SkippedTarget {
    SkippedTarget {
        package: "codec".into(),
        target: target.into(),
        side: None,
        reason: reason.into(),
        outcome: TargetOutcome::Skipped,
    }
}
