//! From counted statements to what changed, and to queries in a loop.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::allocations::direction;
use super::sites::{PlaceIdentity, identity, responsible, words};
use super::statement::{StatementChange, StatementPattern};
use super::{Change, Comparison, Observed, Verdict};
use crate::measure::{CodeOwner, Figure, Place, TracedStack};
use crate::plan::Thresholds;
use crate::seam::{MOST_STATEMENT_STACKS, ProgramQueries};
use crate::units::{BenchmarkKey, Exactness, Metric, MetricGroup, Note, Paired, Side, plural};
use crate::workload::{CountedQueries, TracedStatement};

/// A statement that runs so often is repeated,
const REPEATED: f64 = 5.0;
/// if it runs so many times as often as on the base side.
const TIMES: f64 = 2.0;

/// Adds to each comparison of a workload the statements that it runs, and what changed; `family` benchmarks share the
/// error rate of the report.
pub fn add_queries(
    comparisons: &mut [Comparison],
    counted: &[CountedQueries],
    thresholds: &Thresholds,
    family: usize,
) {
    let counted: HashMap<&BenchmarkKey, &CountedQueries> =
        counted.iter().map(|each| (&each.key, each)).collect();
    let alpha = (1.0 - thresholds.confidence) / family.max(1) as f64;
    for comparison in comparisons {
        if comparison.verdict != Verdict::Failed
            && let Some(counted) = counted.get(&comparison.key)
        {
            compare(comparison, counted, alpha);
        }
    }
}

fn compare(comparison: &mut Comparison, counted: &CountedQueries, alpha: f64) {
    let about = |text| Note::about(MetricGroup::Queries, text);
    comparison
        .notes
        .extend(counted.notes.iter().cloned().map(about));
    let sides = counted.processes.as_ref().map(|all| observed(all));
    if sides.base.is_none() && sides.head.is_none() {
        return;
    }
    let is_whole = sides.base.is_some() && sides.head.is_some();
    let figures = counted.processes.as_ref().map(|all| {
        let figures = all.iter().map(|one| Figure::Exact(one.run as f64));
        figures.collect::<Vec<Figure>>()
    });
    let change = Change {
        direction: direction(&figures.base, &figures.head, alpha).filter(|_| is_whole),
        sides,
        ..Change::default()
    };
    comparison.metrics.extend([(Metric::QUERIES, change)]);
    let lost = Paired::from_fn(|side| {
        let all = counted.processes.get(side).iter();
        all.map(|one| one.lost).max().unwrap_or(0)
    });
    for side in Side::BOTH {
        let lost = usize::try_from(*lost.get(side)).unwrap_or(usize::MAX);
        if lost > 0 {
            let lost = plural(lost, "query", "queries");
            let text = format!("{side}: the statements of {lost} are not told apart");
            comparison.notes.push(about(text));
        }
    }
    if is_whole {
        let capped = Side::BOTH
            .into_iter()
            .filter(|side| is_capped(counted, *side));
        comparison.notes.extend(capped.map(|side| {
            about(format!(
                "{side}: the places are those of its first {MOST_STATEMENT_STACKS} queries"
            ))
        }));
        comparison.statements = changes(counted);
    }
}

/// Whether call stacks of further statements of a side would have been recorded.
fn is_capped(counted: &CountedQueries, side: Side) -> bool {
    let stacks = counted.traced.get(side).iter();
    stacks.map(|one| one.stack.requests).sum::<u64>() >= MOST_STATEMENT_STACKS
}

/// What one side runs altogether; `None` where nothing is known.
fn observed(processes: &[ProgramQueries]) -> Option<Observed> {
    let first = processes.first()?;
    let mean = mean(processes, |one| one.run);
    Some(Observed {
        exactness: match processes.iter().all(|one| one.run == first.run) {
            true => Exactness::Exact,
            false => Exactness::Sampled,
        },
        ..Observed::exactly(mean)
    })
}

fn mean(processes: &[ProgramQueries], of: impl Fn(&ProgramQueries) -> u64) -> f64 {
    let sum: u64 = processes.iter().map(of).sum();
    sum as f64 / processes.len().max(1) as f64
}

/// The statements that one side runs more often, the largest increase first.
fn changes(counted: &CountedQueries) -> Vec<StatementChange> {
    let all = [&counted.processes.base, &counted.processes.head];
    let texts = all.into_iter().flatten().flat_map(|one| &one.statements);
    let texts: BTreeSet<&str> = texts.map(|statement| statement.text.as_str()).collect();
    let changed = texts.into_iter().filter_map(|text| {
        let count = counted.processes.as_ref().map(|all| {
            mean(all, |one| {
                // Texts that are cut may belong to several statements.
                let statements = one.statements.iter();
                let same = statements.filter(|statement| statement.text == text);
                same.map(|statement| statement.runs).sum()
            })
        });
        (count.base != count.head).then(|| statement(counted, text, count))
    });
    let mut changed: Vec<StatementChange> = changed.collect();
    let increase = |one: &StatementChange| one.count.head - one.count.base;
    changed.sort_by(|a, b| increase(b).total_cmp(&increase(a)));
    changed
}

fn statement(counted: &CountedQueries, text: &str, count: Paired<f64>) -> StatementChange {
    let is_repeated = count.head >= REPEATED && count.head >= TIMES * count.base;
    let site = site(&counted.traced, text, count);
    let (place, stack) = match site {
        Some(CallSite { place, stack, .. }) => (Some(place), stack),
        None => (None, Vec::new()),
    };
    StatementChange {
        text: text.to_owned(),
        count,
        pattern: is_repeated.then_some(StatementPattern::NPlusOne),
        function: place.as_ref().map(|place| place.function.clone()),
        location: place.as_ref().and_then(Place::location),
        origin: place.map_or(CodeOwner::Unknown, |place| place.origin),
        stack,
    }
}

/// A place from which a statement is run.
struct CallSite {
    place: Place,
    stack: Vec<String>,
    /// How often the stack ran it.
    most: u64,
    runs: Paired<u64>,
}

/// The place to which most of the difference belongs.
fn site(traced: &Paired<Vec<TracedStatement>>, text: &str, count: Paired<f64>) -> Option<CallSite> {
    let known = traced.as_ref().map(|stacks| places(stacks));
    let mut sites: BTreeMap<PlaceIdentity, CallSite> = BTreeMap::new();
    // Where a place is on both sides, its line on the head side is shown.
    for side in [Side::Head, Side::Base] {
        let stacks = traced.get(side).iter();
        for TracedStatement { stack, .. } in stacks.filter(|one| one.text == text) {
            let place = caller(stack, known.get(side.other()));
            let site = sites.entry(identity(&place)).or_insert_with(|| CallSite {
                place,
                stack: Vec::new(),
                most: 0,
                runs: Paired::new(0, 0),
            });
            *site.runs.get_mut(side) += stack.requests;
            if stack.requests > site.most {
                site.most = stack.requests;
                site.stack = outermost_first(stack);
            }
        }
    }
    let sign = match count.head > count.base {
        true => 1.0,
        false => -1.0,
    };
    let part = |site: &CallSite| sign * (site.runs.head as f64 - site.runs.base as f64);
    let mut sites: Vec<CallSite> = sites.into_values().collect();
    sites.sort_by(|a, b| part(b).total_cmp(&part(a)));
    sites.into_iter().find(|site| part(site) > 0.0)
}

/// All places of a side that run any statement.
fn places(stacks: &[TracedStatement]) -> BTreeSet<PlaceIdentity> {
    let places = stacks.iter().flat_map(|one| &one.stack.places);
    places.map(identity).collect()
}

/// The innermost place of the workspace that the other side does not have: it tells more than a function that all queries
/// pass through. Where there is none, the innermost one.
fn caller(stack: &TracedStack, others: &BTreeSet<PlaceIdentity>) -> Place {
    let own = stack.places.iter();
    let mut own = own.filter(|place| place.origin == CodeOwner::Workspace);
    let new = own.find(|place| !others.contains(&identity(place)));
    new.cloned().unwrap_or_else(|| responsible(stack))
}

fn outermost_first(stack: &TracedStack) -> Vec<String> {
    stack.places.iter().rev().map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::Direction;
    use crate::seam::StatementRuns;

    fn queries(statements: &[(&str, u64)]) -> ProgramQueries {
        let statements: Vec<StatementRuns> = statements
            .iter()
            .map(|(text, runs)| StatementRuns {
                text: (*text).to_owned(),
                runs: *runs,
            })
            .collect();
        ProgramQueries {
            run: statements.iter().map(|one| one.runs).sum(),
            lost: 0,
            statements,
        }
    }

    fn run_from(text: &str, function: &str, runs: u64) -> TracedStatement {
        let place = |function: &str, origin| Place {
            function: function.to_owned(),
            origin,
            file: Some("src/shop.rs".to_owned()),
            line: Some(7),
            text: Some(format!("in {function}")),
        };
        TracedStatement {
            text: text.to_owned(),
            stack: TracedStack {
                places: vec![
                    place("sqlite::step", CodeOwner::Dependency),
                    place("wrapper", CodeOwner::Workspace),
                    place(function, CodeOwner::Workspace),
                    place("main", CodeOwner::Workspace),
                ],
                requests: runs,
                bytes: 0,
                left_behind: 0,
            },
        }
    }

    fn compared(counted: &CountedQueries) -> Comparison {
        let mut comparison = Comparison::unobserved(counted.key.clone(), Verdict::Unchanged);
        compare(&mut comparison, counted, 0.05);
        comparison
    }

    fn counted(base: &[(&str, u64)], head: &[(&str, u64)]) -> CountedQueries {
        CountedQueries {
            key: BenchmarkKey::new("shop", "workload", "list"),
            processes: Paired::new(vec![queries(base); 4], vec![queries(head); 4]),
            traced: Paired::new(Vec::new(), Vec::new()),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_query_in_a_loop_is_named_with_the_place_that_runs_it_more_often() {
        let mut counted = counted(
            &[("SELECT a", 1), ("SELECT t", 6), ("SELECT old", 1)],
            &[("SELECT a", 1), ("SELECT t", 30)],
        );
        counted.traced = Paired::new(
            vec![run_from("SELECT t", "totals", 6)],
            vec![
                run_from("SELECT t", "totals", 6),
                run_from("SELECT t", "tags", 24),
            ],
        );
        let found = compared(&counted);
        let change = found.metrics.get(Metric::QUERIES).unwrap();
        assert_eq!(change.values(), Some(Paired::new(8.0, 31.0)));
        assert_eq!(change.direction, Some(Direction::More));
        let [first, other] = &found.statements[..] else {
            panic!("{:?}", found.statements);
        };
        assert_eq!(first.text, "SELECT t");
        assert_eq!(first.pattern, Some(StatementPattern::NPlusOne));
        assert_eq!(first.function.as_deref(), Some("tags"));
        assert_eq!(first.location.as_deref(), Some("src/shop.rs:7"));
        assert_eq!(first.stack[0], "main at src/shop.rs:7");
        // Where the same code runs it more often, the innermost place is all that is known.
        counted.traced.head = vec![run_from("SELECT t", "totals", 30)];
        let found = compared(&counted);
        assert_eq!(found.statements[0].function.as_deref(), Some("wrapper"));
        assert_eq!((other.text.as_str(), other.pattern), ("SELECT old", None));
    }

    #[test]
    fn statements_with_the_same_text_are_one() {
        let base = [("SELECT long", 1), ("SELECT long", 2)];
        let found = compared(&counted(&base, &[("SELECT long", 1), ("SELECT long", 40)]));
        let [only] = &found.statements[..] else {
            panic!("{:?}", found.statements);
        };
        assert_eq!(only.count, Paired::new(3.0, 41.0));
    }

    #[test]
    fn where_no_more_stacks_were_recorded_no_place_is_named_that_did_not_change() {
        let mut counted = counted(&[("SELECT t", 30_000)], &[("SELECT t", 60_000)]);
        let stacks = || vec![run_from("SELECT t", "totals", MOST_STATEMENT_STACKS)];
        counted.traced = Paired::new(stacks(), stacks());
        let found = compared(&counted);
        assert_eq!(found.statements[0].function, None);
        assert_eq!(found.notes.len(), 2, "{:?}", found.notes);
    }

    #[test]
    fn a_statement_that_runs_a_little_more_often_is_no_loop() {
        let few = compared(&counted(&[("SELECT a", 1)], &[("SELECT a", 4)]));
        assert_eq!(few.statements[0].pattern, None);
        let once_more = compared(&counted(&[("SELECT a", 100)], &[("SELECT a", 101)]));
        assert_eq!(once_more.statements[0].pattern, None);
        let change = once_more.metrics.get(Metric::QUERIES).unwrap();
        assert_eq!(change.direction, Some(Direction::More));
    }

    #[test]
    fn the_same_statements_are_the_same_and_one_side_alone_has_no_direction() {
        let same = compared(&counted(&[("SELECT a", 3)], &[("SELECT a", 3)]));
        let direction = |found: &Comparison| found.metrics.get(Metric::QUERIES).unwrap().direction;
        assert_eq!(direction(&same), Some(Direction::Same));
        assert_eq!(same.statements, []);
        let mut alone = counted(&[("SELECT a", 3)], &[("SELECT a", 3)]);
        alone.processes.base.clear();
        assert_eq!(direction(&compared(&alone)), None);
    }
}
