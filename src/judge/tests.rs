//! Decisions on planted findings.

use super::*;
use crate::analyse::{Change, Direction, Observed, RatioEstimate};
use crate::plan::{AllocationPolicy, OnMore};
use crate::units::{BenchmarkKey, Metric, Paired, Ratio};

fn key(id: &str) -> BenchmarkKey {
    BenchmarkKey::new("shop", "prices", id)
}

fn comparison(id: &str, verdict: Verdict) -> Comparison {
    Comparison::unobserved(key(id), verdict)
}

fn slower(id: &str, change: f64) -> Comparison {
    let ratio = Ratio::from_change(change);
    let mut slower = comparison(id, Verdict::Slower);
    let time = slower.metrics.entry(Metric::TIME);
    time.direction = Some(Direction::More);
    time.estimate = Some(RatioEstimate {
        ratio,
        lower: ratio,
        upper: ratio,
        p_value: 0.0,
        confidence: 0.95,
        rounds: 13,
        detectable: 0.001,
    });
    slower
}

fn counted(base: f64, head: f64) -> Change {
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

fn allocating(base: f64, head: f64) -> Comparison {
    let mut grown = comparison("sum", Verdict::Unchanged);
    let count = (Metric::ALLOCATIONS, counted(base, head));
    grown.metrics.extend([count]);
    grown
}

#[test]
fn fewer_allocations_do_not_keep_more_bytes_and_a_higher_peak_from_the_vote() {
    // 64 MiB once where there were twice 50 bytes.
    let mut larger = allocating(2.0, 1.0);
    larger.metrics.extend([
        (Metric::BYTES, counted(100.0, 67_108_864.0)),
        (Metric::PEAK, counted(50.0, 67_108_864.0)),
    ]);
    let decision = decide(&[larger], &basis(OnMore::Reject));
    assert_eq!(decision.vote, Vote::Reject);
    let Reason::AllocatesMore { benchmarks, .. } = &decision.reasons[0] else {
        panic!("{decision:?}");
    };
    let grown = benchmarks[0].grown.iter().map(|grown| grown.metric);
    assert!(grown.eq([Metric::BYTES, Metric::PEAK]));
}

fn basis(on_more: OnMore) -> Basis {
    Basis {
        allocations: Some(AllocationPolicy {
            threshold: Ratio::from_change(0.01),
            on_more,
        }),
        ..Basis::default()
    }
}

fn decide(comparisons: &[Comparison], basis: &Basis) -> Decision {
    judge(Evidence {
        comparisons,
        targets: &[],
        budgets: &[],
        claims: &check_claims(comparisons, basis),
        uncovered: &[],
        shortfalls: &[],
        basis,
    })
}

#[test]
fn the_most_severe_reason_comes_first_wherever_it_was_found() {
    let found = [
        comparison("lost", Verdict::Inconclusive),
        comparison("gone", Verdict::Removed),
        allocating(1.0, 2.0),
    ];
    let decision = decide(&found, &basis(OnMore::Reject));
    assert_eq!(decision.vote, Vote::Reject);
    let votes: Vec<Vote> = decision.reasons.iter().map(Reason::vote).collect();
    assert_eq!(votes, [Vote::Reject, Vote::Modify, Vote::Modify]);
    assert!(matches!(decision.reasons[0], Reason::AllocatesMore { .. }));
}

#[test]
fn the_largest_change_is_named_first() {
    let found = [slower("slow", 0.05), slower("slower still", 0.5)];
    let decision = decide(&found, &Basis::default());
    let Reason::Slower { benchmarks } = &decision.reasons[0] else {
        panic!("{decision:?}");
    };
    assert_eq!(benchmarks[0].benchmark, key("slower still"));
}

#[test]
fn nothing_compared_is_not_approved() {
    let vote = |found: &[Comparison]| decide(found, &Basis::default()).vote;
    assert_eq!(vote(&[]), Vote::Modify);
    assert_eq!(vote(&[comparison("new", Verdict::Added)]), Vote::Modify);
    assert_eq!(vote(&[comparison("a", Verdict::Identical)]), Vote::Approve);
}

#[test]
fn what_nobody_could_run_is_not_approved() {
    let target = |outcome| SkippedTarget {
        package: "shop".into(),
        target: "prices".into(),
        side: None,
        reason: "exited with status 1".into(),
        outcome,
    };
    let vote = |outcome| {
        judge(Evidence {
            comparisons: &[comparison("a", Verdict::Identical)],
            targets: &[target(outcome)],
            budgets: &[],
            claims: &[],
            uncovered: &[],
            shortfalls: &[],
            basis: &Basis::default(),
        })
        .vote
    };
    assert_eq!(vote(TargetOutcome::Failed), Vote::Modify);
    assert_eq!(vote(TargetOutcome::Skipped), Vote::Approve);
}

#[test]
fn a_run_that_ended_early_is_not_approved() {
    let decision = judge(Evidence {
        comparisons: &[comparison("a", Verdict::Unchanged)],
        targets: &[],
        budgets: &[],
        claims: &[],
        uncovered: &[],
        shortfalls: &[Shortfall {
            part: RunPart::Allocations,
            cause: EarlyEnd::TimeUp,
            left: 1,
            of: 1,
        }],
        basis: &Basis::default(),
    });
    assert_eq!(decision.vote, Vote::Modify);
}

#[test]
fn an_increase_asks_for_the_vote_that_the_policy_names_and_only_beyond_its_threshold() {
    let vote = |base, head, on_more| decide(&[allocating(base, head)], &basis(on_more)).vote;
    assert_eq!(vote(1.0, 2.0, OnMore::Modify), Vote::Modify);
    assert_eq!(vote(1.0, 2.0, OnMore::Reject), Vote::Reject);
    assert_eq!(vote(1.0, 2.0, OnMore::Approve), Vote::Approve);
    assert_eq!(vote(2.0, 1.0, OnMore::Reject), Vote::Approve);
    assert_eq!(vote(1000.0, 1001.0, OnMore::Modify), Vote::Approve);
    let decision = decide(&[allocating(1.0, 2.0)], &basis(OnMore::Modify));
    let grown = Growth {
        benchmark: key("sum"),
        grown: vec![GrownMetric {
            metric: Metric::ALLOCATIONS,
            amount: Paired::new(1.0, 2.0),
        }],
    };
    assert!(matches!(
        &decision.reasons[..],
        [Reason::AllocatesMore { benchmarks, .. }] if *benchmarks == [grown]
    ));
}

#[test]
fn only_a_required_benchmark_rejects_by_being_removed() {
    let found = [comparison("startup", Verdict::Removed)];
    let required = |id| Basis {
        required: vec![key(id)],
        ..Basis::default()
    };
    assert_eq!(decide(&found, &required("other")).vote, Vote::Modify);
    let rejected = decide(&found, &required("startup"));
    assert_eq!(rejected.vote, Vote::Reject);
    assert!(matches!(
        rejected.reasons[0],
        Reason::RequiredMissing { .. }
    ));
}

fn claim(text: &str) -> Basis {
    Basis {
        claims: vec![text.parse().unwrap()],
        ..Basis::default()
    }
}

#[test]
fn a_claim_is_shown_where_something_gained_and_nothing_got_worse() {
    let standing = |found: &[Comparison]| {
        let [check] = &check_claims(found, &claim("faster=^parse/"))[..] else {
            panic!("one claim");
        };
        check.standing
    };
    let with = |verdict| comparison("parse/b", verdict);
    let faster = comparison("parse/a", Verdict::Faster);
    for (other, expected) in [
        (Verdict::Faster, ClaimStanding::Shown),
        (Verdict::Unchanged, ClaimStanding::Shown),
        (Verdict::Inconclusive, ClaimStanding::Shown),
        (Verdict::Slower, ClaimStanding::Contradicted),
    ] {
        assert_eq!(standing(&[faster.clone(), with(other)]), expected);
    }
    for alone in [
        Verdict::Unchanged,
        Verdict::Inconclusive,
        Verdict::Identical,
        Verdict::Unreached,
        Verdict::Added,
        Verdict::Failed,
    ] {
        let elsewhere = comparison("print/a", Verdict::Faster);
        assert_eq!(standing(&[with(alone), elsewhere]), ClaimStanding::Unshown);
    }
    assert_eq!(standing(&[]), ClaimStanding::Unshown);
}

#[test]
fn an_optimisation_that_shows_no_gain_asks_for_evidence() {
    let found = [
        comparison("parse/a", Verdict::Unchanged),
        comparison("parse/b", Verdict::Identical),
        comparison("print/a", Verdict::Faster),
    ];
    let decision = decide(&found, &claim("faster=^parse/"));
    assert_eq!(decision.vote, Vote::Modify);
    let [Reason::NoEvidence { claims }] = &decision.reasons[..] else {
        panic!("{decision:?}");
    };
    assert_eq!(claims[0].unmoved, [key("parse/a"), key("parse/b")]);
    assert_eq!(decide(&found, &claim("faster=^print/")).vote, Vote::Approve);
    // A shard may lack the benchmarks that others have.
    let shard = Basis {
        part: Some(PartBasis::default()),
        ..claim("faster=^parse/")
    };
    assert_eq!(decide(&found, &shard).vote, Vote::Approve);
}

#[test]
fn claims_about_allocations_look_at_the_figure_that_they_name() {
    let mut fewer = allocating(4.0, 1.0);
    fewer.metrics.extend([
        (Metric::BYTES, counted(8.0, 9.0)),
        (Metric::PEAK, counted(8.0, 8.0)),
    ]);
    for (text, expected) in [
        ("fewer-allocations=sum", ClaimStanding::Shown),
        ("fewer-bytes=sum", ClaimStanding::Contradicted),
        ("lower-peak=sum", ClaimStanding::Unshown),
        ("faster=sum", ClaimStanding::Unshown),
    ] {
        let checks = check_claims(std::slice::from_ref(&fewer), &claim(text));
        assert_eq!(checks[0].standing, expected, "{text}");
    }
    let checks = check_claims(&[fewer], &claim("fewer-allocations=sum"));
    assert_eq!(checks[0].shown[0].ratio, Some(Ratio::from_quotient(0.25)));
    let uncounted = [comparison("sum", Verdict::Unchanged)];
    let checks = check_claims(&uncounted, &claim("lower-peak=sum"));
    assert_eq!(checks[0].open, [key("sum")]);
}

#[test]
fn a_reason_reads_back_as_it_was_written() {
    let mut found = vec![slower("slow", 0.05), allocating(1.0, 2.0)];
    found.push(comparison("gone", Verdict::Removed));
    let claimed = Basis {
        claims: claim("faster=slow").claims,
        ..basis(OnMore::Modify)
    };
    let decision = decide(&found, &claimed);
    assert_eq!(decision.reasons.len(), 4);
    for reason in decision.reasons {
        let text = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<Reason>(&text).unwrap(), reason);
    }
}

/// Executes so many instructions on either side.
fn executing(id: &str, verdict: Verdict, base: f64, head: f64) -> Comparison {
    let mut counting = comparison(id, verdict);
    let count = (Metric::INSTRUCTIONS, counted(base, head));
    counting.metrics.extend([count]);
    counting
}

#[test]
fn more_instructions_reject_where_nothing_was_timed_and_say_nothing_against_a_time() {
    let timed = [
        executing("quick", Verdict::Faster, 36.0, 90.0),
        executing("same", Verdict::Unchanged, 36.0, 90.0),
    ];
    let decision = decide(&timed, &Basis::default());
    assert_eq!(decision.vote, Vote::Approve, "{decision:?}");
    let untimed = [
        executing("little", Verdict::Untimed, 100.0, 110.0),
        executing("much", Verdict::Untimed, 100.0, 200.0),
        executing("less", Verdict::Untimed, 200.0, 100.0),
        executing("same", Verdict::Untimed, 100.0, 100.0),
    ];
    let decision = decide(&untimed, &Basis::default());
    assert_eq!(decision.vote, Vote::Reject);
    let Reason::MoreInstructions { benchmarks } = &decision.reasons[0] else {
        panic!("{decision:?}");
    };
    let named = benchmarks.iter().map(|growth| growth.benchmark.id.as_str());
    assert!(named.eq(["much", "little"]));
    let decision = decide(&untimed[2..], &Basis::default());
    assert_eq!(decision.vote, Vote::Approve, "{decision:?}");
}
