//! From measurements to one comparison per benchmark.

use std::collections::HashMap;

use super::evidence::VerdictEvidence;
use super::few_rounds;
use super::judged::{Joint, Judged, judge, per_cent};
use super::round::{figures, weakest_pairing};
use super::settle::Settling;
use super::{Comparison, Direction, MetricChanges, RoundSummary, Verdict, timed};
use crate::discover::{Benchmark, Discovery, Failure, Identity, Presence, Reached, Target};
use crate::measure::{Measured, Remark};
use crate::plan::{OnlyPass, Sampling, Thresholds};
use crate::service::RowKind;
use crate::units::{BenchmarkKey, Note, Side, plural};

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
            Draft::new(target, benchmark, measured, sampling)
        })
        .collect();
    let here = drafts.iter().filter(|d| d.evidence.is_some()).count();
    let family = here + discovery.elsewhere;
    let settling = Settling::plan(thresholds, sampling, family);
    let evidence: Vec<(VerdictEvidence, Settling)> = drafts
        .iter()
        .filter_map(|d| Some((d.evidence?, settling.of(&d.benchmark.key))))
        .collect();
    let joint = Joint::decide(&evidence, &settling, family);
    drafts
        .into_iter()
        .map(|draft| draft.finish(&settling, &joint))
        .collect()
}

/// How the report corrects for many benchmarks and for interim analyses, in one sentence.
#[must_use]
pub fn correction(thresholds: &Thresholds, family: usize) -> String {
    let percent = (1.0 - thresholds.confidence) * 100.0;
    let error = format!("{percent:.3}");
    let error = error.trim_end_matches('0').trim_end_matches('.');
    let benchmarks = plural(family, "benchmark", "benchmarks");
    format!(
        "at most {error} % of the benchmarks called slower or faster are expected to be false positives \
         (Benjamini-Hochberg over {benchmarks}, with p-values adjusted for every planned interim analysis); \
         if nothing changed, the chance of any false positive is at most {error} %"
    )
}

/// A benchmark with its estimate, before all of them are judged together.
struct Draft {
    benchmark: Benchmark,
    identity: Identity,
    measured: Option<Measured>,
    rounds: Vec<RoundSummary>,
    evidence: Option<VerdictEvidence>,
    seed: u64,
    only: Option<OnlyPass>,
}

impl Draft {
    fn new(
        target: &Target,
        benchmark: &Benchmark,
        measured: Option<Measured>,
        sampling: &Sampling,
    ) -> Draft {
        let rounds = measured
            .as_ref()
            .map_or_else(Vec::new, |m| figures(&m.rounds));
        let failed = measured.as_ref().is_some_and(|m| m.failure.is_some());
        Draft {
            benchmark: benchmark.clone(),
            identity: target.identity.clone(),
            evidence: (!failed).then(|| VerdictEvidence::of(&rounds)).flatten(),
            seed: sampling.seed,
            only: sampling.only,
            measured,
            rounds: rounds.into_iter().map(|round| round.summary).collect(),
        }
    }

    fn finish(self, settling: &Settling, joint: &Joint) -> Comparison {
        let general = settling.margin();
        let settling = &settling.of(&self.benchmark.key);
        let judged = self.judged(settling, joint);
        let verdict = self.verdict(judged.as_ref());
        let measured = self.measured.as_ref();
        let mut notes = measured.map_or_else(Vec::new, |m| m.notes.clone());
        let mut remarks = measured.map_or_else(Vec::new, |m| m.remarks.clone());
        if settling.margin() != general {
            let own = per_cent(settling.margin());
            notes.push(format!("judged by its own threshold of {own} %"));
        }
        notes.extend(self.note(verdict, judged.as_ref(), settling));
        if verdict == Verdict::Inconclusive {
            let apart = self.apart(settling);
            let told = apart.as_ref().and_then(few_rounds::words);
            notes.extend(told.or_else(|| self.too_few(judged.as_ref(), settling, joint)));
            remarks.extend(apart);
        }
        Comparison {
            pairing: weakest_pairing(&self.rounds),
            throughput: self
                .benchmark
                .throughput
                .head
                .or(self.benchmark.throughput.base),
            metrics: self.metrics(judged.as_ref()),
            failure: self
                .failure()
                .filter(|_| verdict == Verdict::Failed)
                .cloned(),
            notes: notes.into_iter().map(Note::from).collect(),
            remarks,
            ..Comparison::unobserved(self.benchmark.key, verdict)
        }
    }

    /// A note that so few rounds could not have shown anything, unless they did.
    fn too_few(
        &self,
        judged: Option<&Judged>,
        settling: &Settling,
        joint: &Joint,
    ) -> Option<String> {
        let (evidence, judged) = (self.evidence?, judged?);
        let rounds = evidence.typical.rounds;
        // A benchmark that was stopped at the threshold had enough rounds.
        let mute = rounds < settling.fewest_rounds() && joint.is_mute(settling, &evidence);
        (mute && judged.direction.is_none()).then(|| {
            format!(
                "{} cannot tell a change from chance in a report of {}, whatever the numbers; that takes {}",
                plural(rounds, "round", "rounds"),
                plural(joint.family, "benchmark", "benchmarks"),
                settling.fewest_rounds()
            )
        })
    }

    /// The verdict from the interval, and the difference from whatever shows it.
    fn judged(&self, settling: &Settling, joint: &Joint) -> Option<Judged> {
        let mut judged = judge(&self.evidence?, settling, joint);
        // No interim analysis was planned so early: rounds that happen to agree would count as a result. What is
        // certain nevertheless goes into a note.
        if self.rounds.len() < settling.first_look() {
            judged.verdict = Verdict::Inconclusive;
        }
        let change = &judged.change;
        let bounded = change.lower.ln() > 0.0 || change.upper.ln() < 0.0;
        if judged.direction.is_none() && bounded {
            judged.direction = few_rounds::difference(&self.rounds, settling);
        }
        Some(judged)
    }

    fn apart(&self, settling: &Settling) -> Option<Remark> {
        let rounds = &self.measured.as_ref()?.rounds;
        few_rounds::remark(rounds, settling)
    }

    /// Why there is no result: known since discovery, or found while measuring.
    fn failure(&self) -> Option<&Failure> {
        let while_measuring = self.measured.as_ref().and_then(|m| m.failure.as_ref());
        while_measuring.or(self.benchmark.failure.as_ref())
    }

    fn verdict(&self, judged: Option<&Judged>) -> Verdict {
        let is_common = self.benchmark.presence == Presence::Common;
        // A doubled id, say, is no news of a change that leaves the code as it was.
        if self.measured.is_none() && is_common && self.identity == Identity::Identical {
            return Verdict::Identical;
        }
        if self.failure().is_some() {
            return Verdict::Failed;
        }
        match (&self.measured, self.benchmark.presence) {
            (_, Presence::Only(Side::Head)) => Verdict::Added,
            (_, Presence::Only(Side::Base)) => Verdict::Removed,
            (None, Presence::Common) if self.benchmark.reached == Reached::No => Verdict::Unreached,
            (None, Presence::Common) if self.only.is_some() => Verdict::Untimed,
            (_, Presence::Common) => judged.map_or(Verdict::Inconclusive, |j| j.verdict),
        }
    }

    /// What a reader of this verdict should know besides the numbers.
    fn note(
        &self,
        verdict: Verdict,
        judged: Option<&Judged>,
        settling: &Settling,
    ) -> Option<String> {
        let of_mean = judged.and_then(|judged| judged.mean_note(settling.margin()));
        if verdict != Verdict::Inconclusive || of_mean.is_some() {
            return of_mean;
        }
        let threshold = per_cent(settling.margin());
        let Some(judged) = judged else {
            return Some(match self.rounds.len() {
                // Rounds of a service may show one row and not another.
                0 if RowKind::of(&self.benchmark.key).is_some() => {
                    "no result, since no round counts".to_owned()
                }
                0 => "not measured: the time for the whole run ran out first".to_owned(),
                _ => "one round gives an estimate but no interval; more are needed".to_owned(),
            });
        };
        if self.rounds.len() < settling.first_look() {
            return few_rounds::certainly(judged.direction, judged.change.ratio);
        }
        match judged.direction? {
            Direction::Same => None,
            Direction::More => Some(format!(
                "certainly slower, but whether by more than {threshold} % is open"
            )),
            Direction::Fewer => Some(format!(
                "certainly faster, but whether by more than {threshold} % is open"
            )),
        }
    }

    fn metrics(&self, judged: Option<&Judged>) -> MetricChanges {
        let measured = self.measured.as_ref();
        let throughput = self.benchmark.throughput;
        measured.map_or_else(MetricChanges::default, |measured| {
            timed::metrics(
                &measured.rounds,
                &self.rounds,
                judged,
                throughput,
                self.seed,
            )
        })
    }
}
