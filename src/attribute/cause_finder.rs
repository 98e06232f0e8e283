//! From profiles and counts to what the report says of each benchmark.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::analyse::{Comparison, Verdict};
use crate::build::Build;
use crate::discover::Discovery;
use crate::flame::Folded;
use crate::measure::{InstructionCounts, Profiled};
use crate::seam::{ExecutedIterations, ProfileClock, ProfileSeam};
use crate::units::{BenchmarkKey, Paired, Side};

use super::code::Differing;
use super::estimate::{Count, TimeDifference};
use super::model::{Attribution, Ranking, SampledThreads, SideSampling};
use super::source_change::SourceChange;
use super::stacks::{self, Against, Stacks};
use super::{advice, counted_stacks, ranking, resolution};

/// What was found out about one benchmark, and the samples behind it.
#[derive(Debug, Clone)]
pub struct Attributed {
    /// What the report says.
    pub attribution: Attribution,
    /// The samples of each side, with lines.
    pub(super) stacks: Paired<Option<Stacks>>,
    /// By how much its time changed.
    change: Option<TimeDifference>,
    /// The notes of whatever was found so far.
    noted: Vec<String>,
}

/// With fewer samples of a side, a share is known to about five percentage points at best.
const FEW_SAMPLES: u64 = 400;

/// With fewer calls, what a call costs is not told from what an iteration costs.
const LEAST_CALLS: usize = 2;

/// Finds for each profiled benchmark where its time goes, and where a change of it comes from.
#[derive(Debug)]
pub struct CauseFinder<'a> {
    builds: &'a Paired<Build>,
    discovery: &'a Discovery,
    ground: SourceChange,
    noted: Vec<String>,
}

impl<'a> CauseFinder<'a> {
    /// Reads the change of the source.
    #[must_use]
    pub fn of(builds: &'a Paired<Build>, discovery: &'a Discovery) -> CauseFinder<'a> {
        let mut noted = Vec::new();
        CauseFinder {
            ground: SourceChange::of(builds, &mut noted),
            builds,
            discovery,
            noted,
        }
    }

    /// What samples show.
    #[must_use]
    pub fn by_samples(&self, comparisons: &[Comparison], profiled: &[Profiled]) -> Vec<Attributed> {
        let all = profiled.iter().map(|profiled| {
            let comparison = comparisons.iter().find(|c| c.key == profiled.key);
            let time = comparison.and_then(Comparison::time);
            let (stacks, noted) = self.resolve(profiled);
            let mut attributed = Attributed {
                attribution: Attribution::of(profiled.key.clone()),
                stacks,
                change: time.and_then(TimeDifference::of),
                noted: [&profiled.notes[..], &self.noted, &noted].concat(),
            };
            attributed.attribution.sampling = profiled.profiles.as_ref().map(|profile| {
                let profile = profile.as_ref()?;
                Some(sampling(profile.clock))
            });
            attributed.conclude(&self.ground);
            attributed
        });
        all.collect()
    }

    /// What further samples show beside those that were taken already.
    pub fn add_samples(&self, attributed: &mut [Attributed], profiled: &[Profiled]) {
        for profiled in profiled {
            let mut all = attributed.iter_mut();
            let Some(one) = all.find(|one| one.attribution.key == profiled.key) else {
                continue;
            };
            let (stacks, _) = self.resolve(profiled);
            let Paired {
                base: Some(base),
                head: Some(head),
            } = stacks
            else {
                continue;
            };
            let before = one.attribution.explanation.take();
            for (known, more) in [(&mut one.stacks.base, base), (&mut one.stacks.head, head)] {
                known.get_or_insert_default().sampled.extend(more.sampled);
            }
            one.conclude(&self.ground);
            // What was counted is still known where samples do not tell.
            let now = one.attribution.explanation.as_mut();
            let now = now.and_then(|now| now.ranking.as_mut());
            let before = before.and_then(|before| before.ranking);
            if let (
                Some(Ranking::Unresolved { instructions, .. }),
                Some(Ranking::Unresolved {
                    instructions: known,
                    ..
                }),
            ) = (now, before)
            {
                *instructions = known;
            }
        }
    }

    /// What counts show where samples do not tell.
    pub fn add_counts(&self, attributed: &mut [Attributed], counted: &[InstructionCounts]) {
        for counted in counted {
            let mut all = attributed.iter_mut();
            let Some(one) = all.find(|one| one.attribution.key == counted.key) else {
                continue;
            };
            if let Err(why) = self.add_counts_of(one, counted) {
                let note =
                    format!("its instructions do not show where the change comes from: {why}");
                one.attribution.notes.push(note.clone());
                one.noted.push(note);
            }
        }
    }

    fn add_counts_of(
        &self,
        attributed: &mut Attributed,
        counted: &InstructionCounts,
    ) -> Result<(), String> {
        let why = |nothing: &str| first_note(counted, nothing);
        let executed = followed(attributed, counted)?;
        let mut targets = self.discovery.targets.iter();
        let target = targets.find(|t| t.benchmarks.iter().any(|one| one.key == counted.key));
        let target = target.ok_or_else(|| why("it is no benchmark"))?;
        let code = Differing::between(self.builds, self.discovery, &counted.key);
        let counts = Paired::try_from_fn(|side| {
            let executable = target.executables.get(side).as_ref();
            let executable = executable.ok_or_else(|| why("one side has no executable"))?;
            let against = code.as_ref().map(|code| code.get(side));
            let (total, executed) = executed.get(side);
            counted_stacks::resolve(executed, *total, &executable.path, against)
        })?;
        let Paired {
            base: Some(base),
            head: Some(head),
        } = &attributed.stacks
        else {
            return Ok(());
        };
        let explanation = attributed.attribution.explanation.take();
        attributed.attribution.explanation = match (explanation, attributed.change) {
            (Some(sampled), Some(change)) => Some(ranking::by_counts(
                sampled,
                Paired::new(base, head),
                counts.as_ref(),
                change,
                &self.ground,
            )),
            (explanation, _) => explanation,
        };
        Ok(())
    }

    /// Names for the samples of both sides, and what hinders that.
    fn resolve(&self, profiled: &Profiled) -> (Paired<Option<Stacks>>, Vec<String>) {
        let code = Differing::between(self.builds, self.discovery, &profiled.key);
        let mut noted = Vec::new();
        let stacks = Paired::from_fn(|side| {
            let profile = profiled.profiles.get(side).as_ref()?;
            let other = profiled.profiles.get(side.other()).as_ref();
            let against = code
                .as_ref()
                .map(|code| code.get(side))
                .zip(other)
                .map(|(differing, profile)| Against { differing, profile });
            let found = stacks::resolve(profile, against);
            found
                .map_err(|why| noted.push(format!("{side}: {why}")))
                .ok()
        });
        (stacks, noted)
    }
}

impl Attributed {
    /// Writes down what follows from the samples.
    fn conclude(&mut self, ground: &SourceChange) {
        let (stacks, found) = (&self.stacks, &mut self.attribution);
        found.time_ns = self.change.map(|change| change.time);
        found.change = self.change.map(|change| change.total());
        for side in Side::BOTH {
            let samples = stacks.get(side).as_ref().map(Stacks::total);
            found.sampling.get_mut(side).take_if(|_| samples.is_none());
            if let (Some(sampling), Some(samples)) = (found.sampling.get_mut(side), samples) {
                sampling.samples = samples;
            }
        }
        found.explanation = match (&stacks.base, &stacks.head, self.change) {
            (Some(base), Some(head), Some(change)) => {
                let beside = ground.beside.told_of(&found.key);
                let stacks = Paired::new(base, head);
                Some(ranking::by_samples(stacks, change, ground, beside))
            }
            _ => None,
        };
        if let Some(head) = &stacks.head {
            found.bottlenecks = advice::bottlenecks(head, &ground.origins);
            found.advice = advice::advice(head, &ground.origins);
        }
        found.stacks = stacks.as_ref().map(|stacks| {
            let stacks = stacks.as_ref()?;
            Some(Folded::of(&stacks.plain().cloned().collect::<Vec<_>>()))
        });
        let few = Side::BOTH.into_iter().filter_map(|side| {
            let few = too_few(stacks.get(side).as_ref()?)?;
            Some(format!("{side}: {few}"))
        });
        found.notes = self.noted.iter().cloned().chain(few).collect();
    }

    /// Whether its time has changed for certain, and its samples do not tell where.
    pub(super) fn is_unresolved(&self, comparisons: &[Comparison]) -> bool {
        let mut all = comparisons.iter();
        let changed = all.any(|one| {
            one.key == self.attribution.key
                && matches!(one.verdict, Verdict::Slower | Verdict::Faster)
        });
        let ranking = self
            .attribution
            .explanation
            .as_ref()
            .and_then(|it| it.ranking);
        changed && matches!(ranking, Some(Ranking::Unresolved { .. }))
    }

    /// For how long each side would have to be profiled further so that samples tell where the change comes from.
    pub(super) fn needs_more(&self) -> Option<Duration> {
        let first = self
            .attribution
            .explanation
            .as_ref()?
            .contributors
            .first()?;
        let sampling = Paired::new(
            self.attribution.sampling.base?,
            self.attribution.sampling.head?,
        );
        let counts = Paired::from_fn(|side| {
            let of = sampling.get(side).samples;
            let hits = (first.share.get(side) * of as f64).round() as u64;
            Count { hits, of }
        });
        let time = self.attribution.time_ns?;
        let needed = resolution::samples_needed(counts, (time.head / time.base).ln());
        let taken = counts.base.of.min(counts.head.of) as f64;
        let more = (needed - taken).max(0.0) / sampling.head.hertz as f64;
        Duration::try_from_secs_f64(more).ok()
    }
}

/// The benchmarks whose time has changed for certain, and whose samples do not tell where.
#[must_use]
pub fn unresolved(attributed: &[Attributed], comparisons: &[Comparison]) -> BTreeSet<BenchmarkKey> {
    let open = attributed
        .iter()
        .filter(|one| one.is_unresolved(comparisons));
    open.map(|one| one.attribution.key.clone()).collect()
}

/// The instructions of an iteration on each side, and which functions executed them, if that leads to the cause of a change.
fn followed<'a>(
    attributed: &Attributed,
    counted: &'a InstructionCounts,
) -> Result<Paired<(f64, ExecutedIterations<'a>)>, String> {
    let sampling = &attributed.attribution.sampling;
    let mut sides = [sampling.base, sampling.head].into_iter().flatten();
    if sides.any(|side| side.threads == SampledThreads::All) {
        let why = "several threads work in it, whose calls do not lead to the routine";
        return Err(why.to_owned());
    }
    let totals = Paired::try_from_fn(|side| {
        let total = counted.per_iteration(side).last().copied();
        total.ok_or_else(|| first_note(counted, "one side did not run"))
    })?;
    let executed = counted.executed();
    let executed = executed.ok_or_else(|| {
        first_note(
            counted,
            "what Valgrind wrote down of its functions could not be read",
        )
    })?;
    if counted.calls() < LEAST_CALLS {
        return Err("too few of its iterations were counted".to_owned());
    }
    if !counted.is_steady() {
        return Err("its iterations do not all execute the same".to_owned());
    }
    Ok(Paired::new(
        (totals.base, executed.base),
        (totals.head, executed.head),
    ))
}

/// What was noted first of a benchmark, or else `nothing`.
fn first_note(counted: &InstructionCounts, nothing: &str) -> String {
    let first = counted.notes.first().map(String::as_str);
    first.unwrap_or(nothing).to_owned()
}

fn sampling(clock: ProfileClock) -> SideSampling {
    SideSampling {
        samples: 0,
        hertz: ProfileSeam::HERTZ,
        threads: match clock {
            ProfileClock::MainThread | ProfileClock::WholeProgram => SampledThreads::Main,
            ProfileClock::AllThreads => SampledThreads::All,
        },
    }
}

pub(super) fn too_few(stacks: &Stacks) -> Option<String> {
    let samples = stacks.total();
    (samples < FEW_SAMPLES).then(|| {
        format!(
            "only {samples} samples fell into timed regions: shares are rough, small ones chance"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_lead_to_no_cause_are_not_followed() {
        let mut attributed = Attributed {
            attribution: Attribution::of(BenchmarkKey::new("p", "t", "b")),
            stacks: Paired::new(None, None),
            change: None,
            noted: Vec::new(),
        };
        let why = |attributed: &Attributed, base: &[u64]| {
            followed(attributed, &InstructionCounts::made_up(base, &[40])).unwrap_err()
        };
        assert_eq!(why(&attributed, &[]), "one side did not run");
        assert!(why(&attributed, &[36]).ends_with("could not be read"));
        attributed.attribution.sampling.head = Some(sampling(ProfileClock::AllThreads));
        assert!(why(&attributed, &[36]).starts_with("several threads"));
    }
}
