//! Decisions on planted findings.

use super::*;
use crate::analyse::{
    AllocationComparison, AllocationFigures, AllocationSummary, AllocationVerdict, Difference,
    TimeChange, TimeComparison,
};
use crate::plan::{AllocationPolicy, OnMore};
use crate::units::{BenchmarkKey, Paired, Ratio};

fn key(id: &str) -> BenchmarkKey {
    BenchmarkKey {
        package: "shop".to_owned(),
        target: "prices".to_owned(),
        id: id.to_owned(),
    }
}

fn comparison(id: &str, verdict: Verdict) -> Comparison {
    Comparison {
        key: key(id),
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

fn slower(id: &str, change: f64) -> Comparison {
    let ratio = Ratio::from_change(change);
    let mut slower = comparison(id, Verdict::Slower);
    slower.time = Some(TimeComparison {
        base: None,
        head: None,
        change: Some(TimeChange {
            ratio,
            lower: ratio,
            upper: ratio,
            p_value: 0.0,
            confidence: 0.95,
            rounds: 13,
            detectable: 0.001,
            difference: Difference::Slower,
        }),
        rounds: Vec::new(),
        quantiles_ns: None,
        mean_change: None,
        head_errors: None,
    });
    slower
}

fn allocating(base: f64, head: f64) -> Comparison {
    let side = |count: f64| AllocationSummary {
        count,
        reallocations: 0.0,
        frees: count,
        bytes: 8.0 * count,
        peak_bytes: 8,
        leaked_bytes: 0.0,
        largest_bytes: 8,
        histogram: Vec::new(),
        exact: true,
    };
    let mut grown = comparison("sum", Verdict::Unchanged);
    grown.allocations = Some(AllocationComparison {
        base: Some(side(base)),
        head: Some(side(head)),
        verdict: Some(match base.total_cmp(&head) {
            std::cmp::Ordering::Less => AllocationVerdict::More,
            std::cmp::Ordering::Equal => AllocationVerdict::Same,
            std::cmp::Ordering::Greater => AllocationVerdict::Fewer,
        }),
        figures: None,
        notes: Vec::new(),
        sites: Vec::new(),
    });
    grown
}

#[test]
fn fewer_allocations_do_not_keep_more_bytes_and_a_higher_peak_from_the_vote() {
    // 64 MiB once where there were twice 50 bytes.
    let mut larger = allocating(2.0, 1.0);
    let found = larger.allocations.as_mut().unwrap();
    let more = Some(AllocationVerdict::More);
    found.figures = Some(AllocationFigures {
        allocations: Some(AllocationVerdict::Fewer),
        bytes: more,
        peak: more,
        ..AllocationFigures::default()
    });
    let (base, head) = (found.base.as_mut().unwrap(), found.head.as_mut().unwrap());
    (base.bytes, head.bytes) = (100.0, 67_108_864.0);
    (base.peak_bytes, head.peak_bytes) = (50, 67_108_864);
    let decision = decide(&[larger], &basis(OnMore::Reject));
    assert_eq!(decision.vote, Vote::Reject);
    let Reason::AllocatesMore { benchmarks, .. } = &decision.reasons[0] else {
        panic!("{decision:?}");
    };
    assert_eq!(benchmarks[0].grown, Grown::Bytes);
    assert_eq!(benchmarks[0].also[0].grown, Grown::Peak);
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
        grown: Grown::Count,
        amount: Paired::new(1.0, 2.0),
        also: Vec::new(),
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
    fewer.allocations.as_mut().unwrap().figures = Some(AllocationFigures {
        allocations: Some(AllocationVerdict::Fewer),
        bytes: Some(AllocationVerdict::More),
        peak: Some(AllocationVerdict::Same),
        ..AllocationFigures::default()
    });
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
