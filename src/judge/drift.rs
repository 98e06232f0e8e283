//! Budgets of drift: how far a benchmark may come since a commit of the past, in however many small steps.

use super::budgets::standing;
use super::{BudgetCheck, BudgetStatus, BudgetSubject};
use crate::analyse::{Comparison, Verdict};
use crate::plan::config::Limit;
use crate::stats::one_sided_margin;
use crate::stats::trend::Level;

/// The times of both sides relative to that at a commit of the past, as natural logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The base side's, with its standard error, the luck of the builds' placement included.
    pub base: Level,
    /// The head side's.
    pub head: Level,
    /// The commit, as people know it.
    pub since: String,
}

/// Why nothing is known of a benchmark's drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDrift {
    /// No run of the base side is recorded, or none that leads further back.
    NoHistory,
    /// No recorded run leads to the commit that was named.
    NoRunSince(String),
}

/// The error of a level rests on many runs: the normal distribution, by so many rounds.
const MANY: usize = 1_000_000;

/// Checks a limit of drift. It is `over` only where the head side is certainly beyond it, by a one-sided bound with an
/// error of `alpha`. What the change did not touch is accused of nothing; and where the base side is beyond it, too, a change
/// that is not slower by itself is not rejected.
#[must_use]
pub fn check_drift(
    comparison: &Comparison,
    limit: Limit,
    seen: Result<Drift, NoDrift>,
    alpha: f64,
) -> BudgetCheck {
    let mut check = BudgetCheck {
        subject: BudgetSubject::Benchmark(comparison.key.clone()),
        metric: limit.metric,
        iterations_per_sample: None,
        limit: limit.limit,
        investigate: limit.investigate,
        base: None,
        head: None,
        certain: None,
        used: None,
        status: BudgetStatus::Unmeasured,
        note: None,
    };
    if comparison.estimate().is_none() {
        let verdict = comparison.verdict;
        check.note = Some(format!("{verdict}, so it was not measured"));
        if matches!(verdict, Verdict::Inconclusive | Verdict::Failed) {
            check.status = BudgetStatus::Unknown;
        }
        return check;
    }
    let drift = match seen {
        Ok(drift) => drift,
        Err(why) => {
            check.status = BudgetStatus::Unknown;
            check.note = Some(why.to_string());
            return check;
        }
    };
    let amount = |level: Level| level.ln_ratio.exp_m1();
    let certainly = |level: Level| {
        let margin = one_sided_margin(level.std_error, MANY, alpha);
        (level.ln_ratio - margin).exp_m1()
    };
    let of_side = |level: Level| standing(limit, amount(level), certainly(level));
    let (status, note) = of_side(drift.head);
    let (before, _) = of_side(drift.base);
    let earlier = match status == BudgetStatus::Over {
        true => exceeded_before(&drift, before, comparison.verdict),
        false => None,
    };
    check.base = Some(amount(drift.base));
    check.head = Some(amount(drift.head));
    check.certain = Some(certainly(drift.head));
    check.used = Some((amount(drift.head) / limit.limit).max(0.0));
    check.status = match earlier {
        Some(_) => BudgetStatus::Investigate,
        None => status,
    };
    let since = format!("since {}", drift.since);
    let notes = [Some(since), note, earlier.map(str::to_owned)];
    check.note = Some(notes.into_iter().flatten().collect::<Vec<_>>().join("; "));
    check
}

/// That this change is not what takes the benchmark beyond the limit, in words.
fn exceeded_before(drift: &Drift, before: BudgetStatus, verdict: Verdict) -> Option<&'static str> {
    if verdict == Verdict::Faster || drift.head.ln_ratio < drift.base.ln_ratio {
        return Some("exceeded before, and less of it now");
    }
    let adds_nothing = before == BudgetStatus::Over && verdict != Verdict::Slower;
    adds_nothing.then_some("exceeded before, and not by this change")
}

impl std::fmt::Display for NoDrift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let get = "`cargo perfcheck history fetch` gets what others recorded";
        match self {
            NoDrift::NoHistory => write!(f, "no recorded run leads to the base side: {get}"),
            NoDrift::NoRunSince(since) => {
                write!(
                    f,
                    "no recorded run leads from {since} to the base side: {get}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::{Change, RatioEstimate};
    use crate::units::{BenchmarkKey, Metric, Ratio};

    const LIMIT: Limit = Limit {
        metric: Metric::DRIFT,
        limit: 0.05,
        investigate: None,
    };

    fn measured(verdict: Verdict) -> Comparison {
        let key = BenchmarkKey::new("shop", "prices", "sum");
        let mut comparison = Comparison::unobserved(key, verdict);
        let ratio = Ratio::from_quotient(1.003);
        let change = Change {
            estimate: Some(RatioEstimate {
                ratio,
                lower: ratio,
                upper: ratio,
                p_value: 0.5,
                confidence: 0.95,
                rounds: 10,
                detectable: 0.001,
            }),
            ..Change::default()
        };
        comparison.metrics.extend([(Metric::TIME, change)]);
        comparison
    }

    fn check(verdict: Verdict, head: f64, std_error: f64) -> BudgetCheck {
        step(verdict, head - 0.003, head, std_error)
    }

    fn step(verdict: Verdict, base: f64, head: f64, std_error: f64) -> BudgetCheck {
        let level = |ln_ratio| Level {
            ln_ratio,
            std_error,
        };
        let drift = Drift {
            base: level(base),
            head: level(head),
            since: "v1.4".to_owned(),
        };
        check_drift(&measured(verdict), LIMIT, Ok(drift), 0.05)
    }

    #[test]
    fn a_small_step_is_rejected_where_all_together_are_certainly_too_many() {
        let over = step(Verdict::Unchanged, 0.055, 0.07, 0.005);
        assert_eq!(over.status, BudgetStatus::Over);
        assert_eq!(over.note.as_deref(), Some("since v1.4"));
        assert!(
            over.used > Some(1.4) && over.certain < over.head,
            "{over:?}"
        );
        let doubtful = check(Verdict::Unchanged, 0.055, 0.005);
        assert_eq!(doubtful.status, BudgetStatus::Investigate);
        assert_eq!(
            check(Verdict::Slower, 0.04, 0.005).status,
            BudgetStatus::Within
        );
        assert_eq!(check(Verdict::Slower, -0.04, 0.005).used, Some(0.0));
    }

    #[test]
    fn what_became_faster_or_was_not_touched_is_not_rejected() {
        let relief = check(Verdict::Faster, 0.07, 0.005);
        assert_eq!(relief.status, BudgetStatus::Investigate);
        let key = BenchmarkKey::new("shop", "prices", "sum");
        let untouched = Comparison::unobserved(key, Verdict::Unreached);
        let untouched = check_drift(&untouched, LIMIT, Err(NoDrift::NoHistory), 0.05);
        assert_eq!(untouched.status, BudgetStatus::Unmeasured);
    }

    #[test]
    fn what_was_exceeded_before_is_not_the_fault_of_a_change_that_adds_nothing() {
        let later = step(Verdict::Unchanged, 0.069, 0.07, 0.005);
        assert_eq!(later.status, BudgetStatus::Investigate);
        let note = later.note.unwrap();
        assert!(note.ends_with("not by this change"), "{note}");
        let less = step(Verdict::Unchanged, 0.071, 0.07, 0.005);
        assert_eq!(less.status, BudgetStatus::Investigate);
        let more = step(Verdict::Slower, 0.069, 0.09, 0.005);
        assert_eq!(more.status, BudgetStatus::Over);
    }

    #[test]
    fn a_budget_without_history_says_how_to_get_it() {
        let since = NoDrift::NoRunSince("v1.4".to_owned());
        let unknown = check_drift(&measured(Verdict::Unchanged), LIMIT, Err(since), 0.05);
        assert_eq!(unknown.status, BudgetStatus::Unknown);
        let note = unknown.note.unwrap();
        assert!(
            note.contains("from v1.4") && note.contains("history fetch"),
            "{note}"
        );
    }
}
