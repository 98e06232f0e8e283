//! From profiles to the functions that a change of time comes from.
//!
//! A sample belongs to one *site*: the innermost function on its stack whose code the project can
//! change (its own, or a dependency's whose version differs between the sides). The code that such a
//! function calls elsewhere counts for it. So the shares of all sites add up to the whole time, and
//! their changes add up to the measured change; nothing counts twice.

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
mod wanted;

use crate::analyse::{Change, Comparison};
use crate::build::Build;
use crate::discover::Discovery;
use crate::flame::Folded;
use crate::measure::Profiled;
use crate::seam::{ProfileClock, ProfileSeam};
use crate::units::{Paired, Side};

pub use artifacts::{Artifact, artifacts, graphs};
pub use folders::Folders;
pub use heap::allocation_artifacts;
pub use model::*;
pub use skeleton::{Skeleton, skeleton};
pub use touched::{TouchedFunction, is_documentation, touched_functions};
pub use wanted::{ToProfile, wanted};

use code::Differing;
use estimate::TimeDifference;
use source_change::SourceChange;
use stacks::{Against, Stacks};

/// What was found out about one benchmark, and the samples behind it.
#[derive(Debug, Clone)]
pub struct Attributed {
    /// What the report says.
    pub attribution: Attribution,
    /// The samples of each side, with lines.
    stacks: Paired<Option<Stacks>>,
}

/// With fewer samples of a side, a share is known to about five percentage points at best.
const FEW_SAMPLES: u64 = 400;

/// Finds for each profiled benchmark where its time goes, and where a change of it comes from.
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
            ProfileClock::MainThread | ProfileClock::WholeProgram => SampledThreads::Main,
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
