//! The reports that every format has to cope with.

use cargo_perfcheck::analyse::{Comparison, Verdict};
use cargo_perfcheck::attribute::Attribution;
use cargo_perfcheck::judge::{BudgetStatus, BudgetSubject, EarlyEnd, RunPart, Shortfall};
use cargo_perfcheck::measure::Remark;
use cargo_perfcheck::report::{self, NextBuilds, NextRun, Partial, Report};
use cargo_perfcheck::units::{Metric, MetricGroup, Note, Paired, Side};

use super::builder::{
    HOSTILE, allocating, benchmark, budget, failed, judged, one_sided, skipped, timed, with,
};

// A benchmark includes this file, too.
#[path = "load_cases.rs"]
mod load_cases;

use load_cases::{limits_test, load_tests};

/// Every case with its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("nothing_changed", nothing_changed()),
        ("identical", identical()),
        ("one_regression", one_regression()),
        ("fifty_regressions", fifty_regressions()),
        ("thousand", thousand()),
        ("failed_added_removed", failed_added_removed()),
        ("hostile", hostile()),
        ("no_allocations", no_allocations()),
        ("no_profile", no_profile()),
        ("demo", demo()),
        ("budgets", budgets()),
        ("empty", with(Vec::new())),
        ("partial", partial()),
        ("load_tests", load_tests()),
        ("limits_test", limits_test()),
    ]
}

/// The real report of a demo run, with profiles, without stacks and functions of little weight.
pub(crate) fn demo() -> Report {
    report::load("fixtures/reports/demo.v1.json".as_ref()).expect("a recorded report")
}

/// A thousand benchmarks, every slower one with what a profile of the demo says.
pub(crate) fn thousand_explained() -> Report {
    let mut report = thousand();
    let recorded = demo().attributions;
    let slower = report.benchmarks.iter();
    let slower = slower.filter(|c| c.verdict == Verdict::Slower);
    let explained = slower.zip(recorded.iter().cycle());
    report.attributions = explained
        .map(|(comparison, recorded)| {
            let mut attribution = recorded.clone();
            attribution.key = comparison.key.clone();
            attribution
        })
        .collect();
    report
}

pub(crate) fn nothing_changed() -> Report {
    let ids = [
        "parse/small",
        "parse/large",
        "print/compact",
        "print/pretty",
    ];
    let unchanged = |(i, id): (usize, &&str)| {
        let base = 12.5 * 40f64.powi(i as i32);
        let timed = timed(
            id,
            Verdict::Unchanged,
            base,
            0.001 * (i as f64 - 1.5),
            0.004,
        );
        allocating(timed, (3.0, 3011.0), (3.0, 3011.0))
    };
    with(ids.iter().enumerate().map(unchanged).collect())
}

pub(crate) fn identical() -> Report {
    with(
        (0..12)
            .map(|i| benchmark(&format!("docs/{i}"), Verdict::Identical))
            .collect(),
    )
}

pub(crate) fn one_regression() -> Report {
    let mut report = with(vec![
        timed("print/compact", Verdict::Unchanged, 812.0, 0.0004, 0.003),
        allocating(
            timed("parse/large", Verdict::Slower, 1_204_000.0, 0.122, 0.004),
            (3.0, 3011.0),
            (5.0, 4035.0),
        ),
        timed("parse/small", Verdict::Faster, 25.31, -0.083, 0.012),
        allocating(
            timed("print/pretty", Verdict::Unchanged, 2_310.0, 0.002, 0.005),
            (2.0, 512.0),
            (1.0, 256.0),
        ),
        timed("tokens", Verdict::Inconclusive, 103.0, 0.018, 0.031),
        benchmark("docs", Verdict::Identical),
    ]);
    report
        .confounders
        .push("Cargo.lock differs: serde 1.0.227 on base, 1.0.228 on head".into());
    report
}

pub(crate) fn fifty_regressions() -> Report {
    with(
        (0..50)
            .map(|i| slower(i, 0.02 + 0.003 * i as f64))
            .collect(),
    )
}

fn slower(i: usize, change: f64) -> Comparison {
    let timed = timed(
        &format!("group {}/case/{i}", i % 5),
        Verdict::Slower,
        100.0 + 37.0 * i as f64,
        change,
        0.006,
    );
    allocating(timed, (1.0, 64.0), (1.0, 64.0))
}

pub(crate) fn thousand() -> Report {
    let verdicts = [
        Verdict::Unchanged,
        Verdict::Unchanged,
        Verdict::Unchanged,
        Verdict::Slower,
        Verdict::Inconclusive,
    ];
    let one = |i: usize| {
        let verdict = verdicts[i * 7 % 5];
        let (change, half) = match verdict {
            Verdict::Slower => (0.03 + 0.0001 * i as f64, 0.01),
            Verdict::Inconclusive => (0.004, 0.03),
            _ => (0.0005, 0.004),
        };
        let mut one = timed(
            &format!("matrix/multiply by blocks/{i}x{i}"),
            verdict,
            50.0 + i as f64,
            change,
            half,
        );
        one.key.package = format!("package-{}", i % 9);
        one.key.target = format!("target_{}", i % 17);
        allocating(one, (1.0, 64.0), (1.0, 64.0))
    };
    with((0..1000).map(one).collect())
}

pub(crate) fn failed_added_removed() -> Report {
    let mut report = with(vec![
        failed("parse/broken"),
        one_sided("parse/new", Side::Head, 1300.0),
        one_sided("parse/old", Side::Base, 1250.0),
        timed("parse/steady", Verdict::Unchanged, 640.0, 0.0, 0.003),
    ]);
    report
        .skipped
        .push(skipped("unit", "harness is libtest, not Criterion"));
    report
        .warnings
        .push("the load of this machine was 7.5 at the start".into());
    report
}

pub(crate) fn hostile() -> Report {
    let mut broken = failed(HOSTILE);
    broken.key.target = HOSTILE.into();
    if let Some(failure) = &mut broken.failure {
        failure.stderr_tail = format!("```\n{HOSTILE}\n]]>\n");
        failure.reason = HOSTILE.into();
    }
    let mut slow = allocating(
        timed(HOSTILE, Verdict::Slower, 25.0, 0.5, 0.01),
        (1.0, 8.0),
        (9.0, 8000.0),
    );
    if let Some(site) = slow.sites.first_mut() {
        site.function = HOSTILE.into();
        site.location = Some(HOSTILE.into());
    }
    let long = "very/long/".repeat(400);
    let mut report = with(vec![
        slow,
        broken,
        timed(&long, Verdict::Slower, 25.0, 0.25, 0.01),
        timed("größe/日本語/🦀", Verdict::Unchanged, 25.0, 0.0, 0.004),
        timed("", Verdict::Unchanged, 25.0, 0.0, 0.004),
    ]);
    report.range.head.subject = HOSTILE.into();
    report.range.spec = HOSTILE.into();
    report.environment.machine.cpu = HOSTILE.into();
    report.warnings.push(HOSTILE.into());
    report.confounders.push(HOSTILE.into());
    report.methodology.command_line.push(HOSTILE.into());
    report.skipped.push(skipped(HOSTILE, HOSTILE));
    report.attributions = vec![hostile_cause(&report.benchmarks[0])];
    let mut check = budget(HOSTILE, Metric::P95, 3e6, (4.1e6, BudgetStatus::Over));
    check.note = Some(HOSTILE.into());
    report.budgets.push(check);
    report
}

/// The demo's first explanation, with every name replaced by a trick.
fn hostile_cause(comparison: &Comparison) -> Attribution {
    let mut cause = demo().attributions.swap_remove(0);
    cause.key = comparison.key.clone();
    cause.notes.push(HOSTILE.into());
    for stacks in [&mut cause.stacks.base, &mut cause.stacks.head] {
        for frame in stacks.iter_mut().flat_map(|folded| &mut folded.frames) {
            frame.push_str(HOSTILE);
        }
    }
    for advice in &mut cause.advice {
        advice.function = HOSTILE.into();
    }
    for bottleneck in &mut cause.bottlenecks {
        bottleneck.function = HOSTILE.into();
    }
    let Some(explanation) = &mut cause.explanation else {
        return cause;
    };
    explanation.beside.push(HOSTILE.into());
    for function in &mut explanation.functions {
        function.function = HOSTILE.into();
    }
    for contributor in &mut explanation.contributors {
        contributor.function = HOSTILE.into();
        contributor.formerly = Some(HOSTILE.into());
        contributor.through = Some(HOSTILE.into());
        for hunk in &mut contributor.hunks {
            hunk.path = HOSTILE.into();
            hunk.relation = HOSTILE.into();
            for line in &mut hunk.lines {
                line.text = format!("```` </pre> {HOSTILE}");
            }
        }
    }
    cause
}

/// Profiles were wanted but could not be taken.
pub(crate) fn no_profile() -> Report {
    let mut report = one_regression();
    let mut cause = demo().attributions.swap_remove(0);
    cause.key = report.benchmarks[1].key.clone();
    cause.explanation = None;
    cause.sampling = Paired::new(None, None);
    cause.stacks = Paired::new(None, None);
    cause.bottlenecks.clear();
    cause.advice.clear();
    cause.notes = vec!["the executable is static, so that nothing can be preloaded".into()];
    report.attributions = vec![cause];
    report
}

pub(crate) fn budgets() -> Report {
    let mut report = nothing_changed();
    let mut doubtful = budget(
        "parse/small",
        Metric::MEAN,
        1e6,
        (1.01e6, BudgetStatus::Investigate),
    );
    doubtful.note = Some("exceeded, but by no more than the measurement's own uncertainty".into());
    let mut size = budget(
        "",
        Metric::SIZE,
        1_048_576.0,
        (700_000.0, BudgetStatus::Within),
    );
    size.subject = BudgetSubject::Binary {
        package: "codec".into(),
        name: "codec-cli".into(),
    };
    let mut unknown = budget(
        "print/compact",
        Metric::PEAK,
        4096.0,
        (0.0, BudgetStatus::Unknown),
    );
    (unknown.base, unknown.head, unknown.certain, unknown.used) = (None, None, None, None);
    unknown.note = Some("its allocations were not counted".into());
    report.budgets = vec![
        budget(
            "parse/large",
            Metric::P95,
            3e6,
            (3.204e6, BudgetStatus::Over),
        ),
        doubtful,
        unknown,
        budget(
            "print/pretty",
            Metric::ALLOCATIONS,
            12.0,
            (3.0, BudgetStatus::Within),
        ),
        size,
    ];
    let faster = timed("tokens/long", Verdict::Faster, 812.0, -0.061, 0.004);
    report.benchmarks.push(faster);
    let basis = report.basis.as_mut().expect("a run says what it judges by");
    let claims = [
        "faster=^tokens/",
        "faster=^(parse|print)/",
        "fewer-bytes=pretty$",
    ];
    basis.claims = claims.map(|claim| claim.parse().expect("a claim")).into();
    judged(report)
}

/// A run that was ended in its first round, before allocations were counted.
pub(crate) fn partial() -> Report {
    let mut cut_short = timed("parse/large", Verdict::Inconclusive, 5120.0, 0.02, 0.05);
    cut_short.remarks.push(Remark::CutShort { rounds: 2 });
    let mut report = with(vec![
        timed("parse/small", Verdict::Unchanged, 640.0, 0.0, 0.003),
        cut_short,
    ]);
    let shortfall = |part, left| Shortfall {
        part,
        cause: EarlyEnd::Interrupted {
            by: "interrupted by SIGTERM".into(),
        },
        left,
        of: 2,
    };
    report.partial = Some(Partial {
        shortfalls: vec![
            shortfall(RunPart::Time, 1),
            shortfall(RunPart::Allocations, 2),
        ],
        next: Some(NextRun {
            builds: NextBuilds::Kept,
            preparing_seconds: 11.2,
            measuring_seconds: 83.0,
        }),
    });
    judged(report)
}

pub(crate) fn no_allocations() -> Report {
    let mut report = nothing_changed();
    for benchmark in &mut report.benchmarks {
        let timed = benchmark.metrics.of(MetricGroup::Time);
        benchmark.metrics = timed
            .map(|(metric, change)| (metric, change.clone()))
            .collect();
        benchmark.sites.clear();
        benchmark.request_sizes = None;
        let why = "the executable is static, so that nothing can be preloaded";
        benchmark
            .notes
            .push(Note::about(MetricGroup::Allocations, why));
    }
    report
}
