//! Reports as a run leaves them, written down in a few words.

use std::collections::BTreeMap;

use cargo_perfcheck::analyse::{
    AllocationComparison, AllocationSite, AllocationSummary, AllocationVerdict, Comparison,
    Difference, IterationsPerSample, Quartiles, RoundSummary, TimeChange, TimeComparison,
    TimeSummary, Verdict,
};
use cargo_perfcheck::discover::{SkippedTarget, TargetOutcome};
use cargo_perfcheck::judge::{
    Basis, BudgetCheck, BudgetStatus, BudgetSubject, Decision, Evidence, check_claims, judge,
};
use cargo_perfcheck::measure::{CodeOwner, Failure, Pairing};
use cargo_perfcheck::plan::config::{Metric, Unit};
use cargo_perfcheck::plan::{AllocationPolicy, OnMore};
use cargo_perfcheck::report::{
    Commit, Locking, Methodology, Range, Report, RunEnvironment, SCHEMA_VERSION, StageTiming,
};
use cargo_perfcheck::units::{BenchmarkKey, Nanos, Paired, Ratio, Side};

/// The id that tries every trick at once.
pub(crate) const HOSTILE: &str = "</script><img src=x onerror=alert(1)> | `code` **bold** @all #1 \\| \u{1b}[31mred\n\u{202e}drow [x](javascript:1) & \"quoted\" 'single' ]]> ::error::x %0A";

/// A report about no benchmark.
pub(crate) fn report() -> Report {
    let criterion = BTreeMap::from([("codec".to_owned(), "0.8.2".to_owned())]);
    Report {
        schema_version: SCHEMA_VERSION,
        perfcheck_version: "0.1.0".into(),
        decision: Decision::of(Vec::new()),
        range: Range {
            spec: "main..HEAD".into(),
            base: commit("main", '1', "Write the release notes"),
            head: commit("HEAD", '2', "Intern the strings of the parser"),
        },
        environment: RunEnvironment {
            cpu: "Example CPU @ 3.00 GHz".into(),
            cores: 8,
            memory_bytes: 16 << 30,
            os: "Debian GNU/Linux 13".into(),
            kernel: "6.12.0".into(),
            virtualised: Some("kvm".into()),
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
    }
}

fn commit(label: &str, digit: char, subject: &str) -> Commit {
    Commit {
        label: label.into(),
        commit: digit.to_string().repeat(40),
        short_id: digit.to_string().repeat(7),
        subject: subject.into(),
        working_tree: false,
    }
}

/// A report about these benchmarks, with the vote that they deserve.
pub(crate) fn with(benchmarks: Vec<Comparison>) -> Report {
    let mut report = report();
    report.methodology.family_size = benchmarks.iter().filter(|b| b.time.is_some()).count();
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
    Comparison {
        key: BenchmarkKey {
            package: "codec".into(),
            target: "codec".into(),
            id: id.into(),
        },
        verdict,
        pairing: None,
        throughput: None,
        time: None,
        allocations: None,
        failure: None,
        notes: Vec::new(),
        remarks: Vec::new(),
    }
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
    comparison.time = Some(TimeComparison {
        base: Some(summary(base_ns)),
        head: Some(summary(base_ns * (1.0 + change))),
        change: Some(TimeChange {
            ratio: Ratio::from_change(change),
            lower: Ratio::from_change(change - half),
            upper: Ratio::from_change(change + half),
            p_value: if change.abs() > half { 0.000_02 } else { 0.41 },
            confidence: 0.99,
            rounds: 12,
            detectable: half * 1.4,
            difference: match change {
                c if c > half => Difference::Slower,
                c if c < -half => Difference::Faster,
                _ => Difference::None,
            },
        }),
        rounds: rounds(base_ns, change, half),
        quantiles_ns: Some(Paired::new(
            quantiles(base_ns),
            quantiles(base_ns * (1.0 + change)),
        )),
        mean_change: None,
        head_errors: None,
    });
    comparison
}

fn samples_of(iterations: u64) -> IterationsPerSample {
    IterationsPerSample {
        fewest: iterations,
        most: iterations,
    }
}

fn summary(ns: f64) -> TimeSummary {
    TimeSummary {
        mean_ns: Nanos::from_nanos(ns * 1.004),
        median_ns: Nanos::from_nanos(ns),
        p95_ns: Nanos::from_nanos(ns * 1.03),
        p99_ns: Nanos::from_nanos(ns * 1.08),
        std_dev_ns: Nanos::from_nanos(ns * 0.012),
        samples: 240,
        // A tenth of a second for 20 samples: one iteration each where it is long.
        iterations_per_sample: Some(samples_of(((5e6 / ns) as u64).max(1))),
    }
}

/// A distribution with a long tail to the right.
fn quantiles(ns: f64) -> Vec<Nanos> {
    let at = |i: i32| ns * (0.98 + 0.001 * f64::from(i) + 0.08 * (f64::from(i) / 20.0).powi(6));
    (0..=20).map(|i| Nanos::from_nanos(at(i))).collect()
}

/// Twelve rounds that wander around the change without chance.
fn rounds(base_ns: f64, change: f64, half: f64) -> Vec<RoundSummary> {
    (0..12)
        .map(|i| {
            let wander = half * 1.5 * (f64::from(i) * 2.4).sin();
            let ratio = 1.0 + change + wander;
            let middle = |level: f64| Quartiles {
                lower: Nanos::from_nanos(level * 0.99),
                upper: Nanos::from_nanos(level * 1.01),
            };
            let level = base_ns * (1.0 - wander / 3.0);
            RoundSummary {
                ratio: Ratio::from_quotient(ratio),
                median_ns: Paired::new(Nanos::from_nanos(level), Nanos::from_nanos(level * ratio)),
                pairing: Pairing::Sample,
                quartiles_ns: Some(Paired::new(middle(level), middle(level * ratio))),
            }
        })
        .collect()
}

/// One that only one side has.
pub(crate) fn one_sided(id: &str, side: Side, ns: f64) -> Comparison {
    let (verdict, base, head) = match side {
        Side::Base => (Verdict::Removed, Some(summary(ns)), None),
        Side::Head => (Verdict::Added, None, Some(summary(ns))),
    };
    let mut comparison = benchmark(id, verdict);
    comparison.time = Some(TimeComparison {
        base,
        head,
        change: None,
        rounds: Vec::new(),
        quantiles_ns: None,
        mean_change: None,
        head_errors: None,
    });
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
    let verdict = match head.0.total_cmp(&base.0).then(head.1.total_cmp(&base.1)) {
        std::cmp::Ordering::Greater => AllocationVerdict::More,
        std::cmp::Ordering::Less => AllocationVerdict::Fewer,
        std::cmp::Ordering::Equal => AllocationVerdict::Same,
    };
    comparison.allocations = Some(AllocationComparison {
        base: Some(allocations(base)),
        head: Some(allocations(head)),
        verdict: Some(verdict),
        figures: None,
        notes: Vec::new(),
        sites: vec![AllocationSite {
            function: "codec::parse::unescape".into(),
            location: Some("codec/src/parse.rs:88".into()),
            stack: vec![
                "codec::parse::parse".into(),
                "codec::parse::unescape".into(),
            ],
            count: Paired::new(base.0, head.0),
            bytes: Paired::new(base.1, head.1),
            origin: CodeOwner::Workspace,
        }],
    });
    comparison
}

fn allocations((count, bytes): (f64, f64)) -> AllocationSummary {
    AllocationSummary {
        count,
        reallocations: 0.0,
        frees: count,
        bytes,
        peak_bytes: bytes as u64,
        leaked_bytes: 0.0,
        largest_bytes: bytes as u64,
        histogram: vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, count],
        exact: true,
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
        iterations_per_sample: metric.is_percentile().then_some(IterationsPerSample {
            fewest: 5,
            most: 100,
        }),
        unit: match metric {
            Metric::Allocations => Unit::Count,
            Metric::Bytes | Metric::Peak | Metric::Size => Unit::Bytes,
            Metric::Throughput => Unit::ElementsPerSecond,
            _ => Unit::Nanoseconds,
        },
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
