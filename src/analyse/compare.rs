//! From what was measured to one comparison a benchmark.

use std::collections::HashMap;

use super::round::{head_errors, ln_ratios, per_iteration, quantiles, summaries, weakest_pairing};
use super::settle::Settling;
use super::{
    Comparison, Difference, RoundSummary, TimeChange, TimeComparison, TimeErrors, TimeSummary,
    Verdict,
};
use crate::discover::{
    Benchmark, BenchmarkKey, Discovery, Failure, Identity, Presence, Reached, Target,
};
use crate::measure::Measured;
use crate::plan::{Sampling, Thresholds};
use crate::stats::{Estimate, Summary, believable, step_up};
use crate::units::{Paired, Ratio, Side};

/// The power at which [`TimeChange::detectable`] is stated.
const POWER: f64 = 0.8;

/// Compares every benchmark of `discovery`, in its order.
///
/// `slower` and `faster` are decided for all benchmarks together, see [`correction`]; each
/// benchmark's interval is given at the level at which its verdict was decided, so that verdict and
/// interval never contradict each other.
#[must_use]
pub fn compare(
    discovery: &Discovery,
    measured: Vec<Measured>,
    thresholds: &Thresholds,
    sampling: &Sampling,
) -> Vec<Comparison> {
    let mut measured: HashMap<BenchmarkKey, Measured> =
        measured.into_iter().map(|m| (m.key.clone(), m)).collect();
    let drafts: Vec<Draft> = discovery
        .targets
        .iter()
        .flat_map(|target| target.benchmarks.iter().map(move |b| (target, b)))
        .map(|(target, benchmark)| {
            let measured = measured.remove(&benchmark.key);
            Draft::new(target, benchmark, measured, sampling.seed)
        })
        .collect();
    let here = drafts.iter().filter(|d| d.estimate.is_some()).count();
    let family = here + discovery.elsewhere;
    let settling = Settling::plan(thresholds, sampling, family);
    let joint = Joint::decide(&drafts, &settling, family);
    drafts
        .into_iter()
        .map(|draft| draft.finish(&settling, &joint))
        .collect()
}

/// What was done about testing many benchmarks and about looking several times, in one sentence.
#[must_use]
pub fn correction(thresholds: &Thresholds, family: usize) -> String {
    let percent = (1.0 - thresholds.confidence) * 100.0;
    let error = format!("{percent:.3}");
    let error = error.trim_end_matches('0').trim_end_matches('.');
    let benchmarks = match family {
        1 => "1 benchmark".to_owned(),
        n => format!("{n} benchmarks"),
    };
    format!(
        "of the benchmarks called slower or faster at most {error} % are expected to be called so \
         wrongly (Benjamini-Hochberg over {benchmarks}, on p-values that have paid for every planned \
         look at the data); if nothing changed, {error} % bounds the chance that any is"
    )
}

/// A benchmark with its estimate, before all of them are judged together.
struct Draft {
    benchmark: Benchmark,
    identity: Identity,
    measured: Option<Measured>,
    rounds: Vec<RoundSummary>,
    estimate: Option<Estimate>,
    head_errors: Option<TimeErrors>,
}

/// What follows from all benchmarks together.
struct Joint {
    /// How many benchmarks share the error.
    family: usize,
    /// How many are slower or faster.
    accused: usize,
    /// How many differ from no change at all.
    different: usize,
}

impl Joint {
    fn decide(drafts: &[Draft], settling: &Settling, family: usize) -> Joint {
        let rejected = |p_value: &dyn Fn(&Estimate, &Settling) -> f64| {
            let p_values: Vec<f64> = drafts
                .iter()
                .filter_map(|d| Some((d.estimate.as_ref()?, settling.of(&d.benchmark.key))))
                .map(|(e, own)| p_value(e, &own) / own.final_share(e))
                .collect();
            step_up(&p_values, family, settling.alpha())
        };
        Joint {
            family: family.max(1),
            accused: rejected(&|e, own| e.p_beyond(own.margin())),
            different: rejected(&|e, _| e.p_zero()),
        }
    }

    /// The permitted error of one benchmark when `rejected` of them share in it.
    fn level(&self, settling: &Settling, rejected: usize) -> f64 {
        settling.alpha() * rejected.min(self.family) as f64 / self.family as f64
    }

    /// Whether so few rounds could not have accused a benchmark, whatever they had shown.
    fn is_mute(&self, settling: &Settling, estimate: &Estimate) -> bool {
        let share = settling.final_share(estimate);
        believable(estimate.rounds) / share > self.level(settling, self.accused + 1)
    }
}

impl Draft {
    fn new(target: &Target, benchmark: &Benchmark, measured: Option<Measured>, seed: u64) -> Draft {
        let rounds = measured
            .as_ref()
            .map_or_else(Vec::new, |m| summaries(&m.rounds));
        let failed = measured.as_ref().is_some_and(|m| m.failure.is_some());
        Draft {
            benchmark: benchmark.clone(),
            identity: target.identity.clone(),
            estimate: (!failed)
                .then(|| Estimate::of(&ln_ratios(&rounds)))
                .flatten(),
            head_errors: measured.as_ref().and_then(|m| head_errors(&m.rounds, seed)),
            measured,
            rounds,
        }
    }

    fn finish(self, settling: &Settling, joint: &Joint) -> Comparison {
        let general = settling.margin();
        let settling = &settling.of(&self.benchmark.key);
        let judged = self.estimate.map(|e| judge(&e, settling, joint));
        let verdict = self.verdict(judged.as_ref());
        let mut notes = self
            .measured
            .as_ref()
            .map_or_else(Vec::new, |m| m.notes.clone());
        if settling.margin() != general {
            let own = Ratio::from_ln(settling.margin()).as_change() * 100.0;
            notes.push(format!("judged by its own threshold of {own:.3} %"));
        }
        notes.extend(self.note(verdict, judged.as_ref(), settling));
        let estimate = self.estimate.filter(|_| verdict == Verdict::Inconclusive);
        // What was stopped at the threshold had rounds enough.
        let too_few =
            |e: &Estimate| e.rounds < settling.fewest_rounds() && joint.is_mute(settling, e);
        if let Some(estimate) = estimate.filter(too_few) {
            notes.push(format!(
                "{} rounds, whatever they show, are too few to tell a change from luck in a report of {} \
                 benchmarks; it takes {}",
                estimate.rounds,
                joint.family,
                settling.fewest_rounds()
            ));
        }
        let time = self.time(judged.map(|(_, change)| change));
        Comparison {
            verdict,
            pairing: weakest_pairing(&self.rounds),
            throughput: self.benchmark.throughput,
            time,
            allocations: None,
            failure: self.failure().cloned(),
            notes,
            remarks: self.measured.map_or_else(Vec::new, |m| m.remarks),
            key: self.benchmark.key,
        }
    }

    /// Why there is no result: known since discovery, or found out while measuring.
    fn failure(&self) -> Option<&Failure> {
        let while_measuring = self.measured.as_ref().and_then(|m| m.failure.as_ref());
        while_measuring.or(self.benchmark.failure.as_ref())
    }

    fn verdict(&self, judged: Option<&(Verdict, TimeChange)>) -> Verdict {
        if self.failure().is_some() {
            return Verdict::Failed;
        }
        match (&self.measured, self.benchmark.presence) {
            (_, Presence::Only(Side::Head)) => Verdict::Added,
            (_, Presence::Only(Side::Base)) => Verdict::Removed,
            (None, Presence::Common) if self.identity == Identity::Identical => Verdict::Identical,
            (None, Presence::Common) if self.benchmark.reached == Reached::No => Verdict::Unreached,
            (_, Presence::Common) => judged.map_or(Verdict::Inconclusive, |(v, _)| *v),
        }
    }

    /// What a reader of this verdict should know besides the numbers.
    fn note(
        &self,
        verdict: Verdict,
        judged: Option<&(Verdict, TimeChange)>,
        settling: &Settling,
    ) -> Option<String> {
        if verdict != Verdict::Inconclusive {
            return None;
        }
        let threshold = Ratio::from_ln(settling.margin()).as_change() * 100.0;
        let Some((_, change)) = judged else {
            return Some(match self.rounds.len() {
                0 => "not measured: the time of the whole run was up before its turn".to_owned(),
                _ => "one round gives an estimate but no interval; more are needed".to_owned(),
            });
        };
        match change.difference {
            Difference::None => None,
            Difference::Slower => Some(format!(
                "certainly slower, but whether by more than {threshold:.3} % is open"
            )),
            Difference::Faster => Some(format!(
                "certainly faster, but whether by more than {threshold:.3} % is open"
            )),
        }
    }

    fn time(&self, change: Option<TimeChange>) -> Option<TimeComparison> {
        let rounds = &self.measured.as_ref()?.rounds;
        let times = Paired::from_fn(|side| per_iteration(rounds, side));
        let base = time_summary(&times.base);
        let head = time_summary(&times.head);
        (base.is_some() || head.is_some()).then(|| TimeComparison {
            base,
            head,
            change,
            rounds: self.rounds.clone(),
            quantiles_ns: Some(times.map(quantiles)),
            head_errors: self.head_errors,
        })
    }
}

/// The verdict of one benchmark, and its interval at the level of that verdict.
fn judge(estimate: &Estimate, settling: &Settling, joint: &Joint) -> (Verdict, TimeChange) {
    let share = settling.final_share(estimate);
    let accusing = joint.level(settling, joint.accused);
    let (verdict, alpha) = if estimate.p_beyond(settling.margin()) / share <= accusing {
        let verdict = if estimate.ln_ratio > 0.0 {
            Verdict::Slower
        } else {
            Verdict::Faster
        };
        (verdict, accusing)
    } else if estimate.p_within(settling.margin()) / share <= settling.alpha() {
        (Verdict::Unchanged, settling.alpha())
    } else {
        // The level at which one more accusation would have been believed: at it, none of those that
        // are not accused lies beyond the threshold.
        let level = joint.level(settling, joint.accused + 1);
        (Verdict::Inconclusive, level)
    };
    let alpha = alpha.max(believable(estimate.rounds) / share).min(1.0);
    let interval = estimate.interval(alpha * share);
    let p_value = (estimate.p_zero() / share).min(1.0);
    let different = p_value <= joint.level(settling, joint.different);
    // What one more benchmark would have to show to be told from no change.
    let seen = joint.level(settling, joint.different + usize::from(!different)) * share;
    let change = TimeChange {
        ratio: Ratio::from_ln(estimate.ln_ratio),
        lower: Ratio::from_ln(interval.lower),
        upper: Ratio::from_ln(interval.upper),
        p_value,
        confidence: 1.0 - alpha,
        rounds: estimate.rounds,
        detectable: Ratio::from_ln(estimate.detectable(seen, POWER)).as_change(),
        // A reader must never see a difference whose interval holds "no change".
        difference: match () {
            () if different && interval.lower > 0.0 => Difference::Slower,
            () if different && interval.upper < 0.0 => Difference::Faster,
            () => Difference::None,
        },
    };
    (verdict, change)
}

fn time_summary(values: &[f64]) -> Option<TimeSummary> {
    Summary::of(values).map(|s| TimeSummary {
        mean_ns: s.mean,
        median_ns: s.median,
        p95_ns: s.p95,
        p99_ns: s.p99,
        std_dev_ns: s.std_dev,
        samples: s.samples,
    })
}
