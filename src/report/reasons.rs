//! The words of the reasons that led to a vote.

use super::{Report, budgets, claims, partial};
use crate::analyse::Verdict;
use crate::discover::SkippedTarget;
use crate::judge::{BudgetCheck, Changed, GrownMetric, Growth, Reason, RequiredBenchmark};
use crate::units::{Metric, MetricGroup};

/// How many benchmarks, budgets or functions a reason names before it says "and n more".
const NAMED: usize = 3;

/// Every reason of a report as a lower-case fragment, the most severe first. Not escaped for any markup.
pub(super) fn of(report: &Report) -> Vec<String> {
    report.decision.reasons.iter().map(words).collect()
}

/// One reason as a lower-case fragment.
pub(super) fn words(reason: &Reason) -> String {
    match reason {
        Reason::RequiredMissing { benchmarks } => list(benchmarks, required).told(
            "1 required benchmark is missing",
            "required benchmarks are missing",
        ),
        Reason::Slower { benchmarks } => {
            list(benchmarks, slower).told("1 benchmark is slower", "benchmarks are slower")
        }
        Reason::TargetFailed { targets } => {
            list(targets, target).told("1 bench target failed", "bench targets failed")
        }
        Reason::Failed { benchmarks } => {
            list(benchmarks, ToString::to_string).told("1 benchmark failed", "benchmarks failed")
        }
        Reason::Removed { benchmarks } => list(benchmarks, ToString::to_string)
            .told("1 benchmark was removed", "benchmarks were removed"),
        Reason::Inconclusive { benchmarks } => list(benchmarks, ToString::to_string)
            .told("1 benchmark is inconclusive", "benchmarks are inconclusive"),
        Reason::NothingCompared => {
            "no benchmark exists on both sides, so nothing was compared".to_owned()
        }
        Reason::AllocatesMore { benchmarks, .. } => {
            let all = list(benchmarks, growth);
            match benchmarks.iter().all(is_of_program) {
                true => all.told("1 program needs more memory", "programs need more memory"),
                false => all.told("1 benchmark allocates more", "benchmarks allocate more"),
            }
        }
        Reason::GrowsUnderLoad { benchmarks } => list(benchmarks, growth).told(
            "1 service grows more in memory under load",
            "services grow more in memory under load",
        ),
        Reason::BreaksAtLimits { benchmarks } => list(benchmarks, growth).told(
            "1 service breaks at a limit that base withstands",
            "services break at limits that base withstands",
        ),
        Reason::MoreInstructions { benchmarks } => list(benchmarks, growth).told(
            "1 benchmark executes more instructions",
            "benchmarks execute more instructions",
        ),
        Reason::MoreQueries { benchmarks } => list(benchmarks, growth)
            .told("1 program runs more queries", "programs run more queries"),
        Reason::PrintsWorse { benchmarks } => list(benchmarks, growth).told(
            "1 program prints a worse metric",
            "programs print a worse metric",
        ),
        Reason::OverBudget { budgets: over } => {
            list(over, budget).told("1 budget is exceeded", "budgets are exceeded")
        }
        Reason::BudgetInDoubt { budgets: doubtful } => list(doubtful, budget).told(
            "1 budget is nearly used up or in doubt",
            "budgets are nearly used up or in doubt",
        ),
        Reason::BudgetUnchecked { budgets: unchecked } => {
            list(unchecked, budget).told("1 budget is not checked", "budgets are not checked")
        }
        Reason::Uncovered { functions } => list(functions, |each| {
            format!("{} ({})", each.function, each.location)
        })
        .told(
            "1 changed function is executed by no benchmark",
            "changed functions are executed by no benchmark",
        ),
        Reason::NoEvidence { claims: unshown } => {
            list(unshown, claims::words).told("1 claim has no evidence", "claims have no evidence")
        }
        Reason::RequiredInVain { patterns } => format!(
            "required, but neither side has such a benchmark: {}",
            patterns.join("; ")
        ),
        Reason::EndedEarly { shortfalls } => partial::words(shortfalls),
        Reason::Recorded { text, .. } => text.clone(),
    }
}

/// Whether nothing grew but what is measured of whole programs.
fn is_of_program(growth: &Growth) -> bool {
    let mut grown = growth.grown.iter();
    grown.all(|grown| grown.metric.group == MetricGroup::Resources)
}

/// The items of a reason: the first ones by name, and how many others there are.
struct List {
    names: Vec<String>,
    count: usize,
}

fn list<T>(all: &[T], name: impl Fn(&T) -> String) -> List {
    List {
        names: all.iter().take(NAMED).map(name).collect(),
        count: all.len(),
    }
}

impl List {
    /// `one: a` or `4 many: a, b, c, 1 more`.
    fn told(mut self, one: &str, many: &str) -> String {
        if self.count > NAMED {
            self.names.push(format!("{} more", self.count - NAMED));
        }
        let names = self.names.join(", ");
        match self.count {
            1 => format!("{one}: {names}"),
            n => format!("{n} {many}: {names}"),
        }
    }
}

fn required(missing: &RequiredBenchmark) -> String {
    let what = match missing.verdict {
        Verdict::Removed => "was removed",
        _ => "failed",
    };
    format!("{} {what}", missing.benchmark)
}

fn target(failed: &SkippedTarget) -> String {
    let side = failed
        .side
        .map_or(String::new(), |side| format!("the {side} side "));
    format!(
        "{}::{} ({side}{})",
        failed.package, failed.target, failed.reason
    )
}

fn slower(changed: &Changed) -> String {
    match changed.ratio {
        Some(ratio) => format!("{} ({ratio})", changed.benchmark),
        None => changed.benchmark.to_string(),
    }
}

fn growth(growth: &Growth) -> String {
    // Head may break at another limit than base, and at fewer: the totals would contradict the reason.
    let is_telling = |grown: &&GrownMetric| {
        grown.metric != Metric::BROKEN_LIMITS || grown.amount.head > grown.amount.base
    };
    let told = growth.grown.iter().filter(is_telling).map(|grown| {
        let show = |amount| grown.metric.unit.show(amount);
        let (base, head) = (show(grown.amount.base), show(grown.amount.head));
        format!("{} {base} → {head}", grown.metric)
    });
    let told: Vec<String> = told.collect();
    match told.is_empty() {
        true => growth.benchmark.to_string(),
        false => format!("{} ({})", growth.benchmark, told.join(", ")),
    }
}

fn budget(check: &BudgetCheck) -> String {
    let limit = check.metric.unit.show_typed(check.limit);
    match (check.head, &check.note) {
        (Some(head), _) => format!(
            "{} {} ({} of {limit})",
            check.subject,
            budgets::metric(check),
            check.metric.unit.show(head)
        ),
        (None, Some(note)) => format!("{} {} ({note})", check.subject, budgets::metric(check)),
        (None, None) => format!("{} {}", check.subject, budgets::metric(check)),
    }
}
