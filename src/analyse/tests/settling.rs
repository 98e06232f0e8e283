//! When a benchmark has enough rounds, and what the report says if it has not.

use super::*;

#[test]
fn a_slow_benchmark_that_gets_the_fewest_rounds_can_be_called_slower() {
    for family in [1, 20, 102, 103, 300, 5_000] {
        let rule = Settling::plan(&thresholds(), &sampling(), family);
        let mut found = discovery(different(), &[("slow", Presence::Common)]);
        found.elsewhere = family - 1;
        let judge = |count| {
            let all = vec![measured("slow", rounds(count, 2.0, 0.002))];
            compare(&found, all, &thresholds(), &sampling()).remove(0)
        };
        let fewest = rule.fewest_rounds();
        assert_eq!(judge(fewest).verdict, Verdict::Slower, "{family}");
        if fewest > 6 {
            let mute = judge(fewest - 1);
            assert_eq!(mute.verdict, Verdict::Inconclusive, "{family}");
            // Three times as long in every sample: the note says how many rounds would show it.
            let enough = format!("{fewest} rounds can");
            assert!(mute.notes[0].text.ends_with(&enough), "{:?}", mute.notes);
        }
    }
    let fewest = |family| Settling::plan(&thresholds(), &sampling(), family).fewest_rounds();
    assert_eq!([1, 102, 103, 5_000].map(fewest), [6, 6, 7, 9]);
}

#[test]
fn four_rounds_of_many_benchmarks_say_that_they_are_too_few() {
    let found = discovery(
        different(),
        &[("slow", Presence::Common), ("same", Presence::Common)],
    );
    let all = |count| {
        vec![
            measured("slow", rounds(count, 2.0, 0.002)),
            measured("same", rounds(count, 0.0, 0.002)),
        ]
    };
    let mut thresholds = thresholds();
    thresholds.confidence = 0.99;
    let slow = compare(&found, all(4), &thresholds, &sampling()).remove(0);
    assert_eq!(slow.verdict, Verdict::Inconclusive);
    // Three times as long in every sample, and still no proof.
    assert_eq!(slow.notes.len(), 1, "{:?}", slow.notes);
    assert!(
        slow.notes[0]
            .text
            .starts_with("head looks slower: every sample of head")
    );
    assert!(
        slow.notes[0].text.ends_with("6 rounds can"),
        "{:?}",
        slow.notes
    );
    let slow = compare(&found, all(6), &thresholds, &sampling()).remove(0);
    assert_eq!((slow.verdict, slow.notes.len()), (Verdict::Slower, 0));
}

#[test]
fn what_was_stopped_at_the_threshold_is_not_said_to_have_had_too_few_rounds() {
    let mut found = discovery(different(), &[("edge", Presence::Common)]);
    found.elsewhere = 12;
    let all = vec![measured("edge", rounds(6, 0.0101, 0.0003))];
    let edge = compare(&found, all, &thresholds(), &sampling()).remove(0);
    assert_eq!(edge.verdict, Verdict::Inconclusive);
    let told = edge.notes.iter().any(|note| note.text.contains("too few"));
    assert!(!told, "{:?}", edge.notes);
}

#[test]
fn a_benchmark_settles_at_planned_looks_only() {
    let rule = Settling::plan(&thresholds(), &sampling(), 5);
    let settle = |count, change| rule.settle(&measured("a", rounds(count, change, 0.003)));
    assert_eq!(settle(8, 0.2), None);
    assert_eq!(settle(9, 0.2), Some(Verdict::Slower));
    assert_eq!(settle(9, -0.2), Some(Verdict::Faster));
    assert_eq!(settle(9, 0.0), Some(Verdict::Unchanged));
    assert_eq!(settle(9, 0.0115), None);
    assert_eq!(settle(30, 0.0105), Some(Verdict::Inconclusive));
}

#[test]
fn a_precise_large_change_among_many_is_measured_until_it_is_certain() {
    // After six rounds none of many benchmarks can be accused, however little it varies.
    for family in [5, 13, 40, 500] {
        let rule = Settling::plan(&thresholds(), &sampling(), family);
        let mut found = discovery(different(), &[("a", Presence::Common)]);
        found.elsewhere = family - 1;
        let measured = |count| measured("a", rounds(count, 0.5, 0.000_5));
        let settled = (1..=30).find(|count| rule.settle(&measured(*count)).is_some());
        let all = vec![measured(settled.unwrap())];
        let comparison = compare(&found, all, &thresholds(), &sampling()).remove(0);
        assert_eq!(comparison.verdict, Verdict::Slower, "{family}");
        assert!(settled <= Some(13), "{family}: {settled:?}");
    }
}

#[test]
fn what_settled_early_keeps_its_verdict_in_the_end() {
    for change in [-0.05, 0.0, 0.03, 0.2] {
        let found = discovery(different(), &[("a", Presence::Common)]);
        let rule = Settling::plan(&thresholds(), &sampling(), 1);
        let all = measured("a", rounds(9, change, 0.002));
        let settled = rule.settle(&all).unwrap();
        let comparisons = compare(&found, vec![all], &thresholds(), &sampling());
        assert_eq!(comparisons[0].verdict, settled);
    }
}

#[test]
fn the_more_benchmarks_share_the_error_the_later_is_a_change_believed() {
    let needed = |family| Settling::plan(&thresholds(), &sampling(), family).rounds_to_believe();
    assert_eq!([1, 12].map(needed), [1.0; 2]);
    assert_eq!([13, 60, 800].map(needed), [9.0 / 6.0; 3]);
    assert_eq!(needed(1000), 13.0 / 6.0);
}
