//! Attribution of profiles whose truth is known.

use super::cause_finder::too_few;
use super::estimate::TimeDifference;
use super::origin::tests::example;
use super::source_change::SourceChange;
use super::stacks::Sameness;
use super::stacks::tests::stacks;
use super::wanted::MOST_PROFILED;
use super::*;
use crate::analyse::{Change, Comparison, Direction, Observed, RatioEstimate, Verdict};
use crate::plan::{ProfileTime, Profiling, Thresholds};
use crate::revision::ChangedFile;
use crate::units::{BenchmarkKey, Metric, Paired, Ratio, Side};
use std::time::Duration;

/// 100 ns on the base side and `head_ns` on the head side, the ratio known to `within`.
pub(crate) fn time(head_ns: f64, within: f64) -> Change {
    let ln = (head_ns / 100.0).ln();
    Change {
        sides: Paired::new(100.0, head_ns).map(|ns| Some(Observed::sampled(ns))),
        direction: Some(Direction::More),
        estimate: Some(RatioEstimate {
            ratio: Ratio::from_ln(ln),
            lower: Ratio::from_ln(ln - within),
            upper: Ratio::from_ln(ln + within),
            p_value: 1e-9,
            confidence: 0.95,
            rounds: 20,
            detectable: 0.01,
        }),
        rounds: Vec::new(),
    }
}

pub(crate) fn ground(files: Vec<ChangedFile>) -> SourceChange {
    SourceChange {
        origins: example(),
        hunks: hunks::Hunks::of(files, |_| std::collections::BTreeMap::new()),
        beside: build_changes::BuildChanges::default(),
    }
}

fn explain(
    base: &[(&str, u64)],
    head: &[(&str, u64)],
    head_ns: f64,
    files: Vec<ChangedFile>,
) -> Explanation {
    let change = TimeDifference::of(&time(head_ns, 0.01)).unwrap();
    let (base, head) = (stacks(Side::Base, base), stacks(Side::Head, head));
    ranking::by_samples(
        Paired::new(&base, &head),
        change,
        &ground(files),
        Vec::new(),
    )
}

/// The first function named, if this many of its samples on each side are in code that differs between the sides.
fn first_with_differing(differing: Paired<u64>) -> Contributor {
    let profile = |side: Side, words: u64, other: u64| {
        let differing = *differing.get(side);
        let paths = [
            ("run/shop::words", words - differing),
            ("run/shop::words/std::callee", differing),
            ("run/shop::other", other),
        ];
        let code = [Sameness::Same, Sameness::Differs, Sameness::Unknown];
        let mut stacks = stacks(side, &paths);
        for (sampled, code) in stacks.sampled.iter_mut().zip(code) {
            sampled.code = code;
        }
        stacks
    };
    let base = profile(Side::Base, 9000, 1000);
    let head = profile(Side::Head, 7000, 3000);
    let change = TimeDifference::of(&time(70.0, 0.01)).unwrap();
    let stacks = Paired::new(&base, &head);
    let mut found = ranking::by_samples(stacks, change, &ground(Vec::new()), Vec::new());
    found.contributors.remove(0)
}

#[test]
fn time_that_changed_in_the_same_code_is_said_to_be_no_doing_of_its_lines() {
    let first = first_with_differing(Paired::new(0, 0));
    assert_eq!(first.function, "shop::words");
    assert!(first.same_code);
    // What explains nothing may be there.
    assert!(first_with_differing(Paired::new(20, 28)).same_code);
}

#[test]
fn code_that_differs_and_may_explain_the_change_is_not_the_same() {
    assert!(!first_with_differing(Paired::new(4000, 500)).same_code);
    // A few samples in a hundred, but all of them on one side.
    assert!(!first_with_differing(Paired::new(300, 0)).same_code);
}

pub(crate) fn lib(base: &str, head: &str) -> ChangedFile {
    ChangedFile {
        paths: Paired::from_fn(|_| Some("src/lib.rs".into())),
        texts: Paired::new(base.to_owned(), head.to_owned()),
    }
}

#[test]
fn the_one_function_of_forty_that_became_slower_is_named_alone() {
    let names: Vec<String> = (0..40).map(|n| format!("run/shop::step{n:02}")).collect();
    let base: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 100)).collect();
    // 2.5 ns of 100 became 5 ns; the number of samples is that of another process.
    let head = names.iter().enumerate();
    let head: Vec<(&str, u64)> = head
        .map(|(n, name)| (name.as_str(), if n == 17 { 195 } else { 98 }))
        .collect();
    let found = explain(&base, &head, 102.5, Vec::new());
    let first = &found.contributors[0];
    assert_eq!(first.function, "shop::step17");
    assert!((first.change.ns - 2.5).abs() < 0.1, "{first:?}");
    assert!(first.change.is_certain());
    assert_eq!(found.contributors.len(), 1, "{:?}", found.contributors);
    assert!(found.unexplained_ns.abs() < 0.1);
}

#[test]
fn an_added_clone_is_the_caller_s_doing() {
    let base = [("run/shop::price", 1000), ("run/shop::sum", 1000)];
    let clone = "run/shop::price/alloc::vec::Vec<T>::clone";
    let head = [
        ("run/shop::price", 1000),
        (clone, 100),
        (&*format!("{clone}/malloc"), 300),
        (&*format!("{clone}/memcpy"), 200),
        ("run/shop::sum", 1000),
    ];
    let found = explain(&base, &head, 130.0, Vec::new());
    assert_eq!(found.contributors[0].function, "shop::price");
    let through = found.contributors[0].through.as_deref();
    assert_eq!(through, Some("alloc::vec::Vec<T>::clone"));
}

#[test]
fn a_dependency_whose_version_changed_is_to_blame_itself() {
    let base = [("run/shop::load/dep::parse", 500), ("run/shop::load", 500)];
    let head = [("run/shop::load/dep::parse", 750), ("run/shop::load", 500)];
    let found = explain(&base, &head, 125.0, Vec::new());
    let first = &found.contributors[0];
    assert_eq!(first.function, "dep::parse");
    assert_eq!(first.origin.to_string(), "dep 1.1.0");
}

#[test]
fn contributions_add_up_to_the_measured_change() {
    let base = [
        ("run/shop::a", 431),
        ("run/shop::b", 211),
        ("run/shop::c/free", 77),
    ];
    let head = [
        ("run/shop::a", 1200),
        ("run/shop::b", 90),
        ("run/shop::d", 333),
    ];
    let found = explain(&base, &head, 140.0, Vec::new());
    let listed: f64 = found.contributors.iter().map(|c| c.change.ns).sum();
    assert!((listed + found.unexplained_ns - 40.0).abs() < 1e-9);
}

#[test]
fn a_function_that_calls_itself_has_no_more_than_all_of_the_time() {
    let deep = [("run/shop::walk/shop::walk/shop::walk", 100)];
    let found = explain(&deep, &deep, 100.0, Vec::new());
    let walk = found.functions.iter().find(|f| f.function == "shop::walk");
    let walk = walk.unwrap();
    assert_eq!((walk.total.base, walk.own.base), (1.0, 1.0));
}

#[test]
fn a_function_that_moved_is_still_the_same() {
    let base = [("run/shop::old::scan", 500), ("run/shop::sum", 500)];
    let head = [("run/shop::new::scan", 800), ("run/shop::sum", 500)];
    let found = explain(&base, &head, 130.0, Vec::new());
    let first = &found.contributors[0];
    assert_eq!(first.function, "shop::new::scan");
    assert_eq!(first.formerly.as_deref(), Some("shop::old::scan"));
    assert!((first.change.ns - 30.0).abs() < 1.0);
}

#[test]
fn a_renamed_function_is_known_by_its_body_and_nothing_is_guessed() {
    let base = [("run/shop::scan@2", 500), ("run/shop::gone@6", 500)];
    let head = [("run/shop::look@2", 500), ("run/shop::fresh@6", 500)];
    let texts = |name: &str, other: &str| {
        format!(
            "fn {name}(x: u64) -> u64 {{\n    x.count_ones()\n}}\n\nfn {other}() {{\n    1;\n}}\n"
        )
    };
    let file = lib(
        &texts("scan", "gone"),
        &texts("look", "fresh").replace("    1;", "    2;"),
    );
    let sites = Paired::new(
        sites::sites(&stacks(Side::Base, &base), Side::Base, &example()),
        sites::sites(&stacks(Side::Head, &head), Side::Head, &example()),
    );
    let ground = ground(vec![file]);
    let paired = matching::pair(sites, &ground.hunks);
    let partner = |name: &str| {
        let mut all = paired.iter();
        let site = all.find(|site| site.names.base.as_deref() == Some(name));
        site.unwrap().names.head.clone()
    };
    assert_eq!(partner("shop::scan").as_deref(), Some("shop::look"));
    // What is left is one function of one file and one share: renamed, and changed.
    assert_eq!(partner("shop::gone").as_deref(), Some("shop::fresh"));
}

#[test]
fn the_hunk_in_the_function_comes_before_the_one_in_its_caller() {
    let base = "const STEPS: u64 = 20;\n\nfn inner(x: u64) -> u64 {\n    x * 3\n}\n\n\n\n\n\n\n\nfn outer() {\n    inner(1);\n}\n";
    let head = base
        .replace("x * 3", "x * 3 + STEPS")
        .replace("inner(1);", "inner(1);\n    inner(2);");
    let profile = |n| {
        [
            ("run/shop::outer@14/shop::inner@4", n),
            ("run/shop::sum@1", 500),
        ]
    };
    let found = explain(&profile(500), &profile(800), 130.0, vec![lib(base, &head)]);
    let first = &found.contributors[0];
    assert_eq!(first.function, "shop::inner");
    let told: Vec<_> = first
        .hunks
        .iter()
        .map(|h| (h.line, h.relation.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (4, "in this function"),
            (15, "in `shop::outer`, which calls it")
        ]
    );
    let changed: Vec<&str> = first.hunks[0]
        .lines
        .iter()
        .filter(|line| line.kind != LineKind::Same)
        .map(|line| line.text.trim())
        .collect();
    assert_eq!(changed, ["x * 3", "x * 3 + STEPS"]);
}

#[test]
fn a_constant_that_the_function_uses_explains_it() {
    let base =
        "const STEPS: u64 = 20;\n\n\n\n\n\n\n\n\nfn inner() {\n    for _ in 0..STEPS {}\n}\n";
    let head = base.replace("20", "40");
    let profile = |n| [("run/shop::inner@11", n), ("run/shop::sum@1", 500)];
    let found = explain(&profile(500), &profile(800), 130.0, vec![lib(base, &head)]);
    assert_eq!(
        found.contributors[0].hunks[0].relation,
        "in `STEPS`, which it uses"
    );
}

#[test]
fn a_type_that_the_function_uses_explains_it() {
    let base = "struct Shelf {\n    items: Vec<u8>,\n}\n\n\n\n\n\nfn inner(shelf: &Shelf) {\n    shelf.items.len();\n}\n";
    let head = base.replace("Vec<u8>", "VecDeque<u8>");
    let profile = |n| [("run/shop::inner@10", n), ("run/shop::sum@1", 500)];
    let found = explain(&profile(500), &profile(800), 130.0, vec![lib(base, &head)]);
    assert_eq!(
        found.contributors[0].hunks[0].relation,
        "in `Shelf`, which it uses"
    );
}

#[test]
fn a_line_is_found_again_on_the_head_side_unless_it_differs() {
    let base: Vec<String> = (1..=30).map(|n| format!("line {n}")).collect();
    let mut head = base.clone();
    head[19] = "another".to_owned();
    head.splice(5..5, ["more".to_owned(), "and more".to_owned()]);
    head.remove(28);
    let ground = ground(vec![lib(
        &(base.join("\n") + "\n"),
        &(head.join("\n") + "\n"),
    )]);
    let at = |line| {
        let path = "src/lib.rs".to_owned();
        let found = ground.hunks.on_head(&Location { path, line });
        found.map(|at| at.line)
    };
    let found = [1, 5, 6, 19, 20, 21, 26, 27, 28].map(at);
    let expected = [1, 5, 8, 21, 0, 23, 28, 0, 29];
    assert_eq!(found.map(Option::unwrap_or_default), expected);
    // Lines that are added, kept and removed in one hunk.
    let mixed = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let ground = crate::attribute::tests::ground(vec![lib(
        mixed,
        &mixed
            .replace("2\n", "new\n2\n")
            .replace("4\n", "")
            .replace("5\n", "5\nnew\nnew\n"),
    )]);
    let at = |line| {
        let path = "src/lib.rs".to_owned();
        ground
            .hunks
            .on_head(&Location { path, line })
            .map_or(0, |at| at.line)
    };
    assert_eq!([1, 2, 3, 4, 5, 6, 9].map(at), [1, 3, 4, 0, 5, 8, 11]);
    let elsewhere = Location {
        path: "src/main.rs".to_owned(),
        line: 3,
    };
    assert_eq!(ground.hunks.on_head(&elsewhere), Some(elsewhere));
}

#[test]
fn too_few_samples_are_told() {
    assert!(too_few(&stacks(Side::Head, &[("run/shop::a", 399)])).is_some());
    assert!(too_few(&stacks(Side::Head, &[("run/shop::a", 400)])).is_none());
}

#[test]
fn the_interval_of_a_contribution_holds_its_truth_as_often_as_it_says() {
    use rand::{RngExt as _, SeedableRng as _};
    let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let change = TimeDifference::of(&time(110.0, 0.01)).unwrap();
    let mut drawn = |share: f64| estimate::Count {
        hits: (0..1000).filter(|_| generator.random_bool(share)).count() as u64,
        of: 1000,
    };
    let truth = 0.25 * 110.0 - 0.2 * 100.0;
    let held = (0..1000).filter(|_| {
        let part = change.part(Paired::new(drawn(0.2), drawn(0.25)));
        (part.lower_ns..=part.upper_ns).contains(&truth)
    });
    // 95 % and five standard errors, of which the part for the uncertainty of the ratio is too wide
    // here, as the ratio is not drawn.
    let held = held.count();
    assert!((915..=995).contains(&held), "{held}");
}

#[test]
fn of_many_changes_those_that_are_slower_are_profiled_and_then_the_largest() {
    let comparison = |number: usize, verdict, head_ns| {
        let key = BenchmarkKey::new("p", "t", &number.to_string());
        let mut comparison = Comparison::unobserved(key, verdict);
        comparison
            .metrics
            .extend([(Metric::TIME, time(head_ns, 0.01))]);
        comparison
    };
    let faster = (0..40).map(|number| comparison(number, Verdict::Faster, 90.0 - number as f64));
    let slower = comparison(40, Verdict::Slower, 102.0);
    let unchanged = comparison(41, Verdict::Unchanged, 100.0);
    let all: Vec<Comparison> = faster.chain([slower, unchanged]).collect();
    let thresholds = Thresholds {
        practical: Ratio::from_change(0.01),
        confidence: 0.95,
        allocations: crate::plan::AllocationPolicy {
            threshold: Ratio::from_change(0.01),
            on_more: crate::plan::OnMore::Modify,
        },
        instructions: crate::units::Ratio::from_quotient(1.001),
    };
    let wanted = |profiling| {
        let most = ProfileTime::AtMost(Duration::from_secs(3));
        wanted::wanted(&all, profiling, most, &thresholds, Duration::from_secs(20))
    };
    let some = wanted(Profiling::Changed);
    assert_eq!((some.times.len(), some.left_out), (MOST_PROFILED, 21));
    for (number, is_profiled) in [(40, true), (39, true), (0, false), (41, false)] {
        assert_eq!(
            some.times.contains_key(&all[number].key),
            is_profiled,
            "{number}"
        );
    }
    let everything = wanted(Profiling::All);
    assert_eq!((everything.times.len(), everything.left_out), (42, 0));
}
