//! Shards of one comparison become one report, and nothing else does.

use cargo_perfcheck::analyse::{Comparison, Verdict};
use cargo_perfcheck::attribute::Attribution;
use cargo_perfcheck::judge::{PartBasis, Reason, UncoveredFunction, Vote};
use cargo_perfcheck::plan::Claim;
use cargo_perfcheck::report::{self, ReachSummary, Report, ReportError};

use super::builder::{benchmark, failed, timed, with};
use super::cases;

/// A case split into two shards.
fn shards() -> (Report, Report) {
    shards_of(cases::one_regression())
}

/// A report split alternately into two shards; both list the identical benchmarks.
fn shards_of(whole: Report) -> (Report, Report) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (i, one) in whole.benchmarks.iter().cloned().enumerate() {
        if one.verdict == Verdict::Identical {
            a.push(one.clone());
            b.push(one);
        } else if i % 2 == 0 {
            a.push(one);
        } else {
            b.push(one);
        }
    }
    let shard = |benchmarks: Vec<Comparison>, part: &str| {
        let is_here = |a: &&Attribution| benchmarks.iter().any(|c| c.key == a.key);
        let attributions = whole.attributions.iter().filter(is_here);
        let attributions = attributions.cloned().collect();
        let mut shard = with(benchmarks);
        shard.attributions = attributions;
        shard
            .methodology
            .command_line
            .extend(["--partition".into(), part.into()]);
        shard.methodology.partition = Some(part.parse().expect("a part"));
        shard
    };
    (shard(a, "hash:1/2"), shard(b, "hash:2/2"))
}

fn differences(reports: Vec<Report>) -> String {
    match report::merge(reports) {
        Err(ReportError::Mismatch { differences }) => differences.join("\n"),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn shards_merged_say_what_one_run_says() {
    let (a, b) = shards();
    let merged = report::merge(vec![a, b]).expect("they belong together");
    let whole = cases::one_regression();
    let verdicts = |report: &Report| {
        let mut all: Vec<_> = report
            .benchmarks
            .iter()
            .map(|c| (c.key.clone(), c.verdict))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(verdicts(&merged), verdicts(&whole));
    assert_eq!(merged.decision.vote, Vote::Reject);
    assert_eq!(
        merged.methodology.command_line,
        whole.methodology.command_line
    );
    assert_eq!(merged.methodology.timings[0].seconds, 2.0 * 41.7);
}

#[test]
fn the_demo_in_two_shards_is_the_demo_again_once_merged() {
    let whole = cases::demo();
    let (mut a, b) = shards_of(whole.clone());
    // As a program wrote it that knew no typed reasons.
    a.basis = None;
    a.decision.reasons.push(told_before());
    let merged = report::merge(vec![a, b]).expect("they belong together");
    let told = |report: &Report| {
        let mut verdicts: Vec<String> = report
            .benchmarks
            .iter()
            .map(|c| format!("{}: {:?}", c.key, c.verdict))
            .collect();
        verdicts.sort();
        let mut explained: Vec<String> = report
            .attributions
            .iter()
            .map(|a| a.key.to_string())
            .collect();
        explained.sort();
        (verdicts, explained, report.decision.vote)
    };
    assert_eq!(told(&merged), told(&whole));
    let reasons = &merged.decision.reasons;
    assert!(matches!(&reasons[0], Reason::Slower { benchmarks } if benchmarks.len() == 2));
    assert!(reasons.contains(&told_before()), "{reasons:#?}");
}

fn told_before() -> Reason {
    Reason::Recorded {
        vote: Vote::Modify,
        text: "1 benchmark allocates more: x".into(),
    }
}

#[test]
fn what_only_the_whole_can_know_is_judged_when_all_shards_are_there() {
    let function = |name: &str, line: u32| UncoveredFunction {
        function: name.into(),
        location: format!("src/lib.rs:{line}"),
    };
    let claim: Claim = "faster=^parse/".parse().expect("a claim");
    let (mut a, mut b) = shards_of(cases::nothing_changed());
    for (shard, covered, in_vain) in [
        (&mut a, function("here", 1), "elsewhere*"),
        (&mut b, function("there", 2), "small"),
    ] {
        shard.reach = Some(reach());
        let basis = shard.basis.as_mut().expect("a shard says what it saw");
        let all = [
            function("here", 1),
            function("there", 2),
            function("nowhere", 3),
        ];
        basis.part = Some(PartBasis {
            uncovered: all.into_iter().filter(|each| *each != covered).collect(),
            covered: vec![covered],
            required_in_vain: vec![in_vain.into(), "startup".into()],
            budgets_in_vain: vec!["gone/*".into(), in_vain.into()],
        });
        basis.claims = vec![claim.clone()];
        assert_eq!(shard.decision.vote, Vote::Approve);
    }
    let merged = report::merge(vec![a, b]).expect("they belong together");
    assert_eq!(
        merged.decision.reasons,
        [
            Reason::NoEvidence {
                claims: merged.claims.clone()
            },
            Reason::Uncovered {
                functions: vec![function("nowhere", 3)]
            },
            Reason::RequiredInVain {
                patterns: vec!["startup".into()]
            },
        ]
    );
    // One shard had one of the two benchmarks, and the other the other.
    assert_eq!(merged.claims[0].unmoved.len(), 2);
    assert_eq!(merged.decision.vote, Vote::Modify);
    assert_eq!(merged.warnings, ["a budget matches no benchmark: gone/*"]);
    assert_eq!(merged.reach.expect("kept").uncovered.len(), 1);
}

fn reach() -> ReachSummary {
    ReachSummary {
        benchmarks: 4,
        reached: 4,
        unknown: 0,
        changed_functions: 3,
        uncovered: Vec::new(),
        skeletons: Vec::new(),
        notes: Vec::new(),
    }
}

#[test]
fn each_shard_may_err_so_the_whole_is_less_sure() {
    let (mut a, mut b) = shards();
    let merged = report::merge(vec![a.clone(), b.clone()]).expect("they belong together");
    assert!((merged.methodology.confidence - 0.90).abs() < 1e-12);
    a.methodology.family_size = 5;
    b.methodology.family_size = 5;
    let merged = report::merge(vec![a, b]).expect("they belong together");
    assert!((merged.methodology.confidence - 0.95).abs() < 1e-12);
}

#[test]
fn what_does_not_belong_together_is_refused_with_every_reason() {
    let (a, mut b) = shards();
    b.range.head.commit = "3".repeat(40);
    b.environment.rustc.base = "rustc 1.90.0".into();
    b.methodology.threshold = 0.02;
    b.range.base.working_tree = true;
    insta::assert_snapshot!("merge_refused", differences(vec![a, b]));
}

#[test]
fn parts_are_merged_when_each_is_there_once() {
    let (a, b) = shards();
    let part = |report: &Report, part: &str| {
        let mut report = report.clone();
        report.methodology.partition = part.parse().ok();
        report
    };
    assert_eq!(
        differences(vec![part(&a, "hash:1/3"), part(&b, "hash:2/3")]),
        "`hash:3/3` is missing"
    );
    assert_eq!(
        differences(vec![a.clone(), part(&b, "hash:2/3")]),
        "they are parts of 2 and of 3"
    );
    assert_eq!(
        differences(vec![a.clone(), part(&b, "none")]),
        "`hash:1/2` is a part and another is not; `hash:2/2` is missing".replace("; ", "\n")
    );
    assert_eq!(
        differences(vec![a.clone(), a.clone(), b.clone()]),
        "`hash:1/2` is there twice"
    );
    let merged = report::merge(vec![a, b]).expect("they belong together");
    assert_eq!(merged.methodology.partition, None);
}

#[test]
fn one_benchmark_measured_twice_is_refused() {
    let a = with(vec![timed("x", Verdict::Slower, 10.0, 0.2, 0.01)]);
    let b = with(vec![
        timed("x", Verdict::Slower, 10.0, 0.3, 0.01),
        failed("y"),
    ]);
    assert_eq!(
        differences(vec![a, b]),
        "`codec::codec x` was measured in two of them"
    );
}

#[test]
fn unlike_machines_and_seeds_are_named_not_refused() {
    let a = with(vec![benchmark("x", Verdict::Identical)]);
    let mut b = with(vec![benchmark("y", Verdict::Identical)]);
    b.environment.machine.cpu = "Other CPU".into();
    b.methodology.seed = 43;
    let merged = report::merge(vec![a, b]).expect("they belong together");
    assert_eq!(merged.warnings.len(), 2, "{:#?}", merged.warnings);
}

#[test]
fn nothing_merged_is_an_error_and_one_report_stays_itself() {
    assert!(matches!(
        report::merge(Vec::new()),
        Err(ReportError::Nothing)
    ));
    let one = cases::thousand();
    assert_eq!(report::merge(vec![one.clone()]).expect("one"), one);
}
