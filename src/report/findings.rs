//! Risks, missing measurements and recommendations: derived from the comparisons by fixed rules.

use super::Report;
use super::causes;
use super::escape::visible;
use super::places;
use super::risks;
use super::standing;
use super::words::{self, Naming};
use crate::analyse::{Comparison, RatioEstimate, Verdict};
use crate::discover::TargetOutcome;
use crate::measure::{Pairing, Remark};
use crate::units::{Metric, Nanos, Note, Unit};

/// What follows from a report, each list the most severe first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Findings {
    /// Risks in production beyond the verdict itself.
    pub(super) risks: Vec<Finding>,
    /// Where the time of the profiled benchmarks goes, whatever has changed.
    pub(super) bottlenecks: Vec<Finding>,
    /// What is not known yet, and how to find out.
    pub(super) needed: Vec<Finding>,
    /// What to do, by estimated impact.
    pub(super) recommendations: Vec<Finding>,
    /// Where changes stand in the recorded history.
    pub(super) history: Vec<Finding>,
    /// The notes of earlier rooms; the same note about several benchmarks is one entry.
    pub(super) notes: Vec<Finding>,
}

/// One thing to say about one benchmark or target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    /// What it is about: printable, but not yet escaped for any markup.
    pub(super) subject: String,
    /// A lower-case fragment.
    pub(super) text: String,
    /// Whether the list of verdicts says the same.
    pub(super) kind: FindingKind,
    /// Larger is more severe; comparable within one list.
    weight: f64,
}

/// Whether a finding is in other parts of a report, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingKind {
    /// A benchmark's verdict, and the text beside it, says the same.
    Verdict,
    /// Nothing else does.
    Other,
}

/// Reads the findings off a report.
pub(super) fn of(report: &Report) -> Findings {
    let naming = Naming::of(report);
    let mut findings = Findings {
        risks: Vec::new(),
        bottlenecks: Vec::new(),
        needed: Vec::new(),
        recommendations: Vec::new(),
        history: history(report, naming),
        notes: notes(report, naming),
    };
    for comparison in &report.benchmarks {
        let subject = naming.name(&comparison.key);
        let kind = match comparison.verdict {
            Verdict::Failed | Verdict::Removed => FindingKind::Verdict,
            _ => FindingKind::Other,
        };
        let mut push = |list: fn(&mut Findings) -> &mut Vec<Finding>,
                        found: Option<(f64, String)>| {
            if let Some((weight, text)) = found {
                let subject = subject.clone();
                list(&mut findings).push(Finding {
                    subject,
                    text,
                    kind,
                    weight,
                });
            }
        };
        push(|f| &mut f.risks, risks::tail(comparison));
        push(|f| &mut f.risks, risks::leak(comparison));
        push(|f| &mut f.risks, risks::peak(comparison));
        push(|f| &mut f.needed, unknown(report, comparison));
        push(|f| &mut f.needed, weak_pairing(comparison));
        push(|f| &mut f.recommendations, slowdown(report, comparison));
        push(|f| &mut f.recommendations, hunger(comparison));
        push(
            |f| &mut f.recommendations,
            places::query_in_a_loop(comparison),
        );
    }
    for (comparison, attribution) in causes::of(report) {
        let subject = naming.name(&comparison.key);
        let advice = attribution.advice.iter().map(|advice| Finding {
            subject: subject.clone(),
            text: causes::advice(advice),
            kind: FindingKind::Other,
            // As a logarithm, like the slowdowns beside it.
            weight: advice.at_most.ln(),
        });
        findings.recommendations.extend(advice);
        let subject = subject.clone();
        findings.bottlenecks.extend(
            risks::bottleneck(attribution).map(|(weight, text)| Finding {
                subject,
                text,
                kind: FindingKind::Other,
                weight,
            }),
        );
    }
    for skipped in &report.skipped {
        let (outcome, weight) = match skipped.outcome {
            TargetOutcome::Skipped => ("not measured", 0.0),
            TargetOutcome::Failed => ("failed, so none of its benchmarks ran", 100.0),
        };
        findings.needed.push(Finding {
            subject: words::target(skipped),
            text: format!("{outcome}: {}", visible(&skipped.reason)),
            kind: FindingKind::Other,
            weight,
        });
    }
    for function in report.reach.iter().flat_map(|reach| &reach.uncovered) {
        findings.needed.push(Finding {
            subject: visible(&function.function),
            text: format!(
                "changed, and no benchmark executes it ({})",
                visible(&function.location)
            ),
            kind: FindingKind::Other,
            weight: 20.0,
        });
    }
    for list in [
        &mut findings.risks,
        &mut findings.bottlenecks,
        &mut findings.needed,
        &mut findings.recommendations,
        &mut findings.history,
        &mut findings.notes,
    ] {
        list.sort_by(|a, b| {
            b.weight
                .total_cmp(&a.weight)
                .then_with(|| a.subject.cmp(&b.subject))
        });
    }
    findings
}

fn history(report: &Report, naming: Naming) -> Vec<Finding> {
    let standings = report.standings.iter().map(|one| Finding {
        subject: naming.name(&one.key),
        text: standing::words(one),
        kind: FindingKind::Other,
        weight: one.ratio.ln().abs(),
    });
    standings.collect()
}

fn notes(report: &Report, naming: Naming) -> Vec<Finding> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for comparison in &report.benchmarks {
        let name = naming.name(&comparison.key);
        let profiled = report
            .attributions
            .iter()
            .filter(|a| a.key == comparison.key);
        let profiling = profiled.flat_map(|attribution| &attribution.notes);
        let profiling = profiling.map(|note| format!("profile: {note}"));
        let all = comparison.notes.iter().map(words_of);
        for note in all.chain(profiling) {
            match found.iter_mut().find(|(text, _)| *text == note) {
                Some((_, names)) => names.push(name.clone()),
                None => found.push((note, vec![name.clone()])),
            }
        }
    }
    let unclear = report.reach.iter().flat_map(|reach| &reach.notes);
    let unclear = unclear.map(|note| Finding {
        subject: "what the change can reach".to_owned(),
        text: super::escape::visible(&format!(
            "not known for {note}; none of its benchmarks counts as unreached"
        )),
        kind: FindingKind::Other,
        weight: 1.0,
    });
    let entry = |(text, names): (String, Vec<String>)| Finding {
        subject: match &names[..] {
            [one] => one.clone(),
            several => words::benchmarks(several.len()),
        },
        text: visible(&text),
        kind: FindingKind::Other,
        weight: names.len() as f64,
    };
    found.into_iter().map(entry).chain(unclear).collect()
}

/// The note, with what it is about.
fn words_of(note: &Note) -> String {
    match note.about {
        Some(group) => format!("{}: {}", group.name(), note.text),
        None => note.text.clone(),
    }
}

fn unknown(report: &Report, comparison: &Comparison) -> Option<(f64, String)> {
    match comparison.verdict {
        Verdict::Failed => {
            let failure = comparison.failure.as_ref();
            let why = failure.map_or_else(
                || "it gave no result".to_owned(),
                |f| format!("the {} side {}", f.side, visible(&f.reason)),
            );
            Some((100.0, format!("failed: {why}")))
        }
        Verdict::Removed => Some((
            50.0,
            "removed: nothing measures what it covered any more".to_owned(),
        )),
        Verdict::Inconclusive => {
            let change = comparison.estimate()?;
            if is_doubted(comparison) {
                let text = format!(
                    "time {} ({} to {}), which may have another cause than the change: see its note",
                    change.ratio, change.lower, change.upper
                );
                return Some((change.detectable.min(10.0), text));
            }
            let seen = words::share(round_up(change.detectable));
            let text = match rounds_needed(
                change.rounds,
                change.detectable,
                report.methodology.threshold,
            ) {
                Some(rounds) if rounds > change.rounds => format!(
                    "too noisy: changes below {seen} could not have been seen in {}; about {rounds} rounds would be needed for ±{}",
                    words::plural(change.rounds, "round", "rounds"),
                    words::share(report.methodology.threshold)
                ),
                _ if lies_beyond(change, report.methodology.threshold) => format!(
                    "the interval {} to {} lies beyond the threshold, but {} are too few to be sure among so \
                     many benchmarks",
                    change.lower,
                    change.upper,
                    words::plural(change.rounds, "round", "rounds")
                ),
                _ => format!(
                    "the interval {} to {} crosses a threshold; more rounds would decide it",
                    change.lower, change.upper
                ),
            };
            Some((change.detectable.min(10.0), text))
        }
        _ => None,
    }
}

fn is_doubted(comparison: &Comparison) -> bool {
    let mut remarks = comparison.remarks.iter();
    remarks.any(|remark| matches!(remark, Remark::Doubted { .. }))
}

/// Whether a whole interval lies beyond ±`threshold`.
fn lies_beyond(change: &RatioEstimate, threshold: f64) -> bool {
    change.lower.ln() > threshold.ln_1p() || change.upper.ln() < -threshold.ln_1p()
}

/// Rounds until `threshold` could be seen: the width of an interval falls with the square root of
/// the number of rounds.
fn rounds_needed(rounds: usize, detectable: f64, threshold: f64) -> Option<usize> {
    let needed = rounds as f64 * (detectable / threshold).powi(2);
    (needed.is_finite() && needed < 1e6).then_some(needed.ceil() as usize)
}

/// Rounds up to two significant digits: "could not see less than" must not be understated.
fn round_up(share: f64) -> f64 {
    if share <= 0.0 || !share.is_finite() {
        return share;
    }
    let scale = 10f64.powf(1.0 - share.log10().floor());
    (share * scale).ceil() / scale
}

fn weak_pairing(comparison: &Comparison) -> Option<(f64, String)> {
    (comparison.verdict == Verdict::Inconclusive && comparison.pairing == Some(Pairing::Benchmark))
        .then(|| {
            let text = "base and head alternated by benchmark, not by sample, which is noisier";
            (0.001, text.to_owned())
        })
}

fn slowdown(report: &Report, comparison: &Comparison) -> Option<(f64, String)> {
    if comparison.verdict != Verdict::Slower {
        return None;
    }
    let mean = comparison.values(Metric::MEAN)?;
    let change = comparison.estimate()?;
    let show = |nanos| Nanos::from_nanos(nanos);
    let text = format!(
        "regain {} per iteration ({} now, {} before){}",
        show(mean.head - mean.base),
        show(mean.head),
        show(mean.base),
        causes::mainly(report, comparison)
            .map(|culprit| format!(", mainly {culprit}"))
            .unwrap_or_default()
    );
    Some((change.ratio.ln(), text))
}

fn hunger(comparison: &Comparison) -> Option<(f64, String)> {
    let more = |metric| {
        let values = comparison.values(metric)?;
        Some(values.head - values.base)
    };
    let (more, bytes) = (more(Metric::ALLOCATIONS)?, more(Metric::BYTES)?);
    if more <= 0.0 && bytes <= 0.0 {
        return None;
    }
    let place = comparison.sites.first().map(|site| {
        let place = site.location.as_deref().unwrap_or(&site.function);
        format!(", first at {}", visible(place))
    });
    let text = format!(
        "look at {} and {} more per iteration{}",
        words::allocations(more, words::signed),
        Unit::Bytes.show(bytes),
        place.unwrap_or_default()
    );
    // An additional byte weighs less than any slowdown that was seen: its cost in time is already in the time.
    Some((1e-3 * (1.0 + more.max(0.0)).ln(), text))
}

#[cfg(test)]
mod tests {
    use super::{round_up, rounds_needed};

    #[test]
    fn half_the_noise_needs_four_times_the_rounds() {
        assert_eq!(rounds_needed(10, 0.02, 0.01), Some(40));
        assert_eq!(rounds_needed(10, f64::INFINITY, 0.01), None);
    }

    #[test]
    fn what_could_not_be_seen_is_never_understated() {
        assert!((round_up(0.0231) - 0.024).abs() < 1e-12);
        assert!((round_up(0.5) - 0.5).abs() < 1e-12);
    }
}
