//! Which function is named first where the truth is known.

use super::*;
use crate::attribute::Unresolved;
use crate::attribute::stacks::Sameness;
use crate::attribute::stacks::tests::stacks;
use crate::attribute::tests::{ground, lib, time};
use crate::revision::ChangedFile;

/// 3 % more time.
fn change() -> TimeDifference {
    TimeDifference::of(&time(103.0, 0.003)).unwrap()
}

const TEXT: &str = "fn planted() {\n    1;\n}\n\n\n\n\n\n\nfn other() {\n    1;\n}\n";

/// `planted` differs.
fn diff() -> Vec<ChangedFile> {
    vec![lib(TEXT, &TEXT.replacen("1;", "2;", 1))]
}

type Weights<'a> = Paired<&'a [(&'a str, u64)]>;

fn paired(weights: Weights<'_>) -> Paired<Stacks> {
    Paired::from_fn(|side| stacks(side, weights.get(side)))
}

fn sampled_as(stacks: &Paired<Stacks>, files: Vec<ChangedFile>) -> Explanation {
    by_samples(stacks.as_ref(), change(), &ground(files), Vec::new())
}

/// What is found if so many samples and instructions (of four iterations) are in `planted` and `other`.
fn counted_as(samples: Weights<'_>, instructions: Weights<'_>) -> Explanation {
    let stacks = paired(samples);
    let counted = paired(instructions).map(|stacks| CountedStacks {
        per_iteration: stacks.total() as f64 / 4.0,
        stacks,
        iterations: 4.0,
    });
    by_counts(
        sampled_as(&stacks, diff()),
        stacks.as_ref(),
        counted.as_ref(),
        change(),
        &ground(diff()),
    )
}

const PLANTED: &str = "run/shop::planted@2";
const OTHER: &str = "run/shop::other@11";

/// Samples by which `other` seems to have become slower.
const MISLEADING: Weights<'static> = Paired::new(
    &[(PLANTED, 500), (OTHER, 450)],
    &[(PLANTED, 495), (OTHER, 490)],
);

#[test]
fn by_samples_a_function_that_the_diff_touches_comes_before_another_that_chance_put_first() {
    let weights = |planted: u64| {
        let base = [(PLANTED, 500), (OTHER, 450)];
        let head = [(PLANTED, planted), (OTHER, 490)];
        paired(Paired::new(&base, &head))
    };
    let found = sampled_as(&weights(535), diff());
    assert_eq!(found.contributors[0].function, "shop::planted");
    let found = sampled_as(&weights(535), Vec::new());
    assert_eq!(found.contributors[0].function, "shop::other");
    // Unless the machine made the same code of it.
    let mut same = weights(535);
    for stacks in [&mut same.base, &mut same.head] {
        stacks
            .sampled
            .iter_mut()
            .for_each(|one| one.code = Sameness::Same);
    }
    assert_eq!(
        sampled_as(&same, diff()).contributors[0].function,
        "shop::other"
    );
}

#[test]
fn few_samples_do_not_resolve_a_change_of_three_per_cent() {
    let found = sampled_as(&paired(MISLEADING), Vec::new());
    let is_unresolved = matches!(
        found.ranking,
        Some(Ranking::Unresolved {
            instructions: None,
            ..
        })
    );
    assert!(is_unresolved, "{:?}", found.ranking);
    // A hundred times as many do.
    let many = |planted, other| [(PLANTED, planted), (OTHER, other)];
    let (base, head) = (many(50_000, 45_000), many(53_000, 45_000));
    let found = sampled_as(&paired(Paired::new(&base, &head)), diff());
    assert_eq!(found.ranking, Some(Ranking::Samples));
    assert_eq!(found.contributors[0].function, "shop::planted");
}

#[test]
fn by_counts_the_function_that_executes_more_comes_first_and_the_same_is_not_named() {
    let base = [(PLANTED, 40_000), (OTHER, 60_000)];
    let head = [(PLANTED, 43_000), (OTHER, 60_000)];
    let found = counted_as(MISLEADING, Paired::new(&base, &head));
    let names: Vec<&str> = found
        .contributors
        .iter()
        .map(|c| c.function.as_str())
        .collect();
    assert_eq!(names, ["shop::planted"]);
    let first = &found.contributors[0];
    assert_eq!(first.instructions, Some(Paired::new(10_000.0, 10_750.0)));
    assert_eq!(first.hunks[0].relation, "in this function");
    let Some(Ranking::Instructions { instructions, .. }) = found.ranking else {
        panic!("{:?}", found.ranking);
    };
    assert_eq!(instructions, Paired::new(25_000.0, 25_750.0));
}

#[test]
fn less_that_is_executed_in_more_time_is_no_cause_of_it() {
    let base = [(PLANTED, 40_000), (OTHER, 60_000)];
    let head = [(PLANTED, 38_000), (OTHER, 60_400)];
    let found = counted_as(MISLEADING, Paired::new(&base, &head));
    let Some(Ranking::Unresolved { instructions, .. }) = found.ranking else {
        panic!("{:?}", found.ranking);
    };
    assert_eq!(instructions, Some(Paired::new(25_000.0, 24_600.0)));
    assert!(!found.names_a_cause());
}

#[test]
fn what_functions_execute_more_and_less_is_set_off_before_it_explains_anything() {
    let base = [(PLANTED, 40_000), (OTHER, 60_000)];
    let head = [(PLANTED, 43_000), (OTHER, 57_010)];
    let found = counted_as(MISLEADING, Paired::new(&base, &head));
    let is_unresolved = matches!(found.ranking, Some(Ranking::Unresolved { .. }));
    assert!(is_unresolved, "{:?}", found.ranking);
}

#[test]
fn a_dependency_is_no_suspect_unless_its_version_changed() {
    let weights = [("run/dep::parse", 500), ("run/same::parse", 500)];
    let stacks = paired(Paired::new(&weights, &weights));
    let ground = ground(Vec::new());
    let found = sampled(stacks.as_ref(), change(), &ground);
    let mut suspects: Vec<(&str, bool)> = found
        .iter()
        .map(|each| (&*each.contributor.function, each.is_suspect(&ground)))
        .collect();
    suspects.sort_unstable();
    assert_eq!(suspects, [("dep::parse", true), ("run", false)]);
}

#[test]
fn counts_that_do_not_explain_the_change_leave_the_order_to_the_samples() {
    let base = [(PLANTED, 40_000), (OTHER, 60_000)];
    let head = [(PLANTED, 40_004), (OTHER, 60_000)];
    let found = counted_as(MISLEADING, Paired::new(&base, &head));
    let Some(Ranking::Unresolved { why, instructions }) = found.ranking else {
        panic!("{:?}", found.ranking);
    };
    assert_eq!(why, Unresolved::Uncertain);
    assert_eq!(instructions, Some(Paired::new(25_000.0, 25_001.0)));
    assert!(found.contributors[0].instructions.is_none());
}

#[test]
fn a_function_that_is_new_and_has_no_sample_is_named_by_its_instructions() {
    let base = [(OTHER, 60_000)];
    let head = [(OTHER, 60_000), ("run/shop::planted@2/malloc", 2_000)];
    let found = counted_as(MISLEADING, Paired::new(&base, &head));
    let first = &found.contributors[0];
    assert_eq!(first.function, "shop::planted");
    assert_eq!(first.instructions, Some(Paired::new(0.0, 500.0)));
    assert_eq!(first.through.as_deref(), Some("malloc"));
}

#[test]
fn the_line_that_executes_more_is_named() {
    let base = [
        ("run/shop::planted@1", 90),
        ("run/shop::planted@3", 10),
        (OTHER, 900),
    ];
    let head = [
        ("run/shop::planted@1", 90),
        ("run/shop::planted@3", 60),
        (OTHER, 900),
    ];
    let found = counted_as(MISLEADING, Paired::new(&base, &head));
    let location = found.contributors[0].location.head.as_ref().unwrap();
    assert_eq!(location.line, 3);
    let location = found.contributors[0].location.base.as_ref().unwrap();
    assert_eq!(location.line, 1);
}
