//! From profiles to the functions that a change of time comes from.
//!
//! A sample belongs to one *site*: the innermost function on its stack whose code the project can
//! change (its own, or a dependency's whose version differs between the sides). What such a function
//! calls elsewhere counts for it. So the shares of all sites are the whole time, and their changes add
//! up to the change of time that was measured; nothing is counted twice.

mod advice;
mod artifacts;
mod blame;
mod build_changes;
mod code;
mod crate_path;
mod estimate;
mod folders;
mod heap;
mod hunks;
mod items;
mod matching;
mod model;
mod names;
mod origin;
mod public_path;
mod shares;
mod signature;
mod site;
mod sites;
mod skeleton;
mod source;
mod source_change;
mod stacks;
mod touched;

use std::collections::BTreeSet;

use crate::analyse::{Change, Comparison, Verdict};
use crate::build::Build;
use crate::discover::Discovery;
use crate::flame::Folded;
use crate::measure::Profiled;
use crate::plan::{Profiling, Thresholds};
use crate::seam::{ProfileClock, ProfileSeam};
use crate::units::{BenchmarkKey, Paired, Side};

pub use artifacts::{Artifact, artifacts, graphs};
pub use folders::Folders;
pub use heap::allocation_artifacts;
pub use model::*;
pub use skeleton::{Skeleton, skeleton};
pub use touched::{TouchedFunction, is_documentation, touched_functions};

use code::Differing;
use estimate::TimeDifference;
use source_change::SourceChange;
use stacks::{Against, Stacks};

/// What was found out of one benchmark, and the samples behind it.
#[derive(Debug, Clone)]
pub struct Attributed {
    /// What the report says.
    pub attribution: Attribution,
    /// The samples of each side, with lines.
    stacks: Paired<Option<Stacks>>,
}

/// With fewer samples of a side, a share is known to no better than five in a hundred.
const FEW_SAMPLES: u64 = 400;

/// So many benchmarks are profiled at the most unless all are asked for: each takes seconds, and one
/// change of the source moves many of them.
const MOST_PROFILED: usize = 20;

/// The benchmarks that are to be profiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToProfile {
    /// Which.
    pub keys: BTreeSet<BenchmarkKey>,
    /// How many would have been profiled, too, if they were not so many.
    pub left_out: usize,
}

/// The benchmarks that are to be profiled: slower benchmarks first, then by the size of the change.
#[must_use]
pub fn wanted(
    comparisons: &[Comparison],
    profiling: Profiling,
    thresholds: &Thresholds,
) -> ToProfile {
    let wants = |comparison: &&Comparison| match profiling {
        Profiling::Off => false,
        Profiling::All => !matches!(comparison.verdict, Verdict::Failed | Verdict::Removed),
        Profiling::Changed => match comparison.verdict {
            Verdict::Slower | Verdict::Faster => true,
            Verdict::Inconclusive => exceeds(comparison, thresholds),
            _ => false,
        },
    };
    let mut wanted: Vec<&Comparison> = comparisons.iter().filter(wants).collect();
    let all = wanted.len();
    if profiling == Profiling::Changed {
        wanted.sort_by(|a, b| urgency(b).total_cmp(&urgency(a)));
        wanted.truncate(MOST_PROFILED);
    }
    ToProfile {
        left_out: all - wanted.len(),
        keys: wanted.into_iter().map(|one| one.key.clone()).collect(),
    }
}

/// The larger, the sooner a change wants an explanation.
fn urgency(comparison: &Comparison) -> f64 {
    let first = match comparison.verdict {
        Verdict::Slower => 2000.0,
        Verdict::Faster => 1000.0,
        _ => 0.0,
    };
    let change = comparison.estimate();
    first + change.map_or(0.0, |change| change.ratio.ln().abs())
}

/// Whether the estimate of the change lies beyond the threshold.
fn exceeds(comparison: &Comparison, thresholds: &Thresholds) -> bool {
    let change = comparison.estimate();
    change.is_some_and(|change| change.ratio.ln().abs() > thresholds.practical.ln())
}

/// Says of each profiled benchmark where its time goes, and where a change of it comes from.
#[must_use]
pub fn attribute(
    comparisons: &[Comparison],
    profiled: &[Profiled],
    builds: &Paired<Build>,
    discovery: &Discovery,
) -> Vec<Attributed> {
    let mut notes = Vec::new();
    let ground = SourceChange::of(builds, &mut notes);
    let all = profiled.iter().map(|profiled| {
        let comparison = comparisons.iter().find(|c| c.key == profiled.key);
        let time = comparison.and_then(Comparison::time);
        let code = Differing::between(builds, discovery, &profiled.key);
        attribute_one(profiled, time, &ground, code.as_ref(), &notes)
    });
    all.collect()
}

fn attribute_one(
    profiled: &Profiled,
    time: Option<&Change>,
    ground: &SourceChange,
    code: Option<&Paired<Differing>>,
    notes: &[String],
) -> Attributed {
    let mut notes = [&profiled.notes[..], notes].concat();
    let mut stacks = Paired::new(None, None);
    for side in Side::BOTH {
        if let Some(profile) = profiled.profiles.get(side) {
            let other = profiled.profiles.get(side.other()).as_ref();
            let against = code
                .map(|code| code.get(side))
                .zip(other)
                .map(|(differing, profile)| Against { differing, profile });
            match stacks::resolve(profile, against) {
                Ok(found) => *stacks.get_mut(side) = Some(found),
                Err(why) => notes.push(format!("{side}: {why}")),
            }
        }
    }
    for side in Side::BOTH {
        if let Some(few) = stacks.get(side).as_ref().and_then(too_few) {
            notes.push(format!("{side}: {few}"));
        }
    }
    let change = time.and_then(TimeDifference::of);
    let attribution = Attribution {
        key: profiled.key.clone(),
        sampling: Paired::from_fn(|side| {
            let profile = profiled.profiles.get(side).as_ref()?;
            Some(sampling(profile.clock, stacks.get(side).as_ref()?))
        }),
        time_ns: change.map(|change| change.time),
        change: change.map(|change| change.total()),
        explanation: match (&stacks.base, &stacks.head, change) {
            (Some(base), Some(head), Some(change)) => {
                let beside = ground.beside.told_of(&profiled.key);
                Some(sites::explain(
                    Paired::new(base, head),
                    change,
                    ground,
                    beside,
                ))
            }
            _ => None,
        },
        bottlenecks: stacks
            .head
            .as_ref()
            .map_or_else(Vec::new, |head| advice::bottlenecks(head, &ground.origins)),
        advice: stacks
            .head
            .as_ref()
            .map_or_else(Vec::new, |head| advice::advice(head, &ground.origins)),
        stacks: stacks.as_ref().map(|stacks| {
            let stacks = stacks.as_ref()?;
            Some(Folded::of(&stacks.plain().cloned().collect::<Vec<_>>()))
        }),
        notes,
    };
    Attributed {
        attribution,
        stacks,
    }
}

fn sampling(clock: ProfileClock, stacks: &Stacks) -> SideSampling {
    SideSampling {
        samples: stacks.total(),
        hertz: ProfileSeam::HERTZ,
        threads: match clock {
            ProfileClock::MainThread => SampledThreads::Main,
            ProfileClock::AllThreads => SampledThreads::All,
        },
    }
}

fn too_few(stacks: &Stacks) -> Option<String> {
    let samples = stacks.total();
    (samples < FEW_SAMPLES).then(|| {
        format!(
            "only {samples} samples fell into timed regions: shares are rough, small ones chance"
        )
    })
}

#[cfg(test)]
mod tests;
