//! A new placement of functions for each round: where code lies in memory is luck, and luck is no change.
//!
//! Both sides of a target are linked again in a random order ([`FunctionOrder`]) in which unchanged functions lie at
//! the same place within a page on both sides. So a benchmark that executes only such functions meets the same placement
//! on both, and one that executes changed functions is timed in as many placements as it has rounds: the interval is
//! over them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::binary::{CodeLayout, FunctionOrder};
use crate::build::{Executable, KeptLink, RelinkError};
use crate::discover::Target;
use crate::plan::{Layouts, Sampling};
use crate::process;
use crate::scratch::Scratch;
use crate::units::{BenchmarkKey, Paired, Side};

use super::order::Order;
use super::session::Session;
use super::{Request, RoundOutcome};

/// Where linking both sides takes longer, all rounds share one layout.
const LONGEST_LINK: Duration = Duration::from_secs(3);

/// In which layouts benchmarks were timed.
#[derive(Debug, Default)]
pub struct LayoutRun {
    /// The most layouts that were drawn for a target.
    pub drawn: usize,
    /// How long linking took.
    pub took: Duration,
    /// The targets that did not get a layout for each round.
    pub fixed: Vec<FixedLayout>,
}

/// A target that did not get a layout for each round.
#[derive(Debug)]
pub struct FixedLayout {
    /// The package.
    pub package: String,
    /// The bench target.
    pub target: String,
    /// Why.
    pub reason: FixedReason,
}

/// Why a target did not get a layout for each round.
#[derive(Debug, thiserror::Error)]
pub enum FixedReason {
    /// It cannot be linked again.
    #[error(transparent)]
    Relink(#[from] RelinkError),
    /// All rounds share one layout.
    #[error("linking both sides takes {:.0} s, so all rounds share one random layout", took.as_secs_f64())]
    Slow {
        /// How long.
        took: Duration,
    },
}

/// The layouts of all targets.
#[derive(Debug)]
pub(super) struct TargetLayouts<'a> {
    wanted: Layouts,
    scratch: &'a Scratch,
    targets: BTreeMap<usize, Source>,
    run: LayoutRun,
}

/// Where the layouts of a target come from.
#[derive(Debug)]
enum Source {
    /// A new one for each round.
    Drawn(Linkable),
    /// One for all rounds, once it is made.
    Shared(Linkable, Option<Box<Paired<Executable>>>),
    /// As cargo made it.
    Cargo,
}

impl<'a> TargetLayouts<'a> {
    pub(super) fn new(sampling: &Sampling, scratch: &'a Scratch) -> TargetLayouts<'a> {
        TargetLayouts {
            // Elsewhere, executables have other formats and linkers.
            wanted: if cfg!(target_os = "linux") {
                sampling.layouts
            } else {
                Layouts::Off
            },
            scratch,
            targets: BTreeMap::new(),
            run: LayoutRun::default(),
        }
    }

    /// Finds out whether target number `index` can be linked again.
    pub(super) fn prepare(&mut self, index: usize, target: &Target) {
        let made = executables(target);
        let (Layouts::Auto, Some(base), Some(head)) = (self.wanted, made.base, made.head) else {
            return;
        };
        let began = Instant::now();
        let linkable = Linkable::of(Paired::new(base, head), self.scratch);
        let took = began.elapsed();
        let source = match linkable {
            Ok(linkable) if took > LONGEST_LINK => {
                self.note(target, FixedReason::Slow { took });
                Source::Shared(linkable, None)
            }
            Ok(linkable) => Source::Drawn(linkable),
            Err(error) => {
                self.note(target, error.into());
                Source::Cargo
            }
        };
        self.targets.insert(index, source);
        self.run.took += took;
    }

    /// A round of some benchmarks of target number `index`, in a new layout if that can be.
    pub(super) fn round(
        &mut self,
        session: &mut Session<'_>,
        (index, target): (usize, &Target),
        order: Order,
        requests: &[Request],
    ) -> Vec<RoundOutcome> {
        let Some(drawn) = self.draw(index, target, order) else {
            return session.run_round(target, executables(target), requests);
        };
        let drawn = drawn.as_ref();
        let mut outcomes = session.run_round(target, drawn.map(Some), requests);
        let failed = |outcome: &RoundOutcome| outcome.result.is_err();
        let of = |one: &&Request| outcomes.iter().find(|outcome| outcome.key == one.key);
        let again = requests.iter().filter(|one| of(one).is_some_and(failed));
        let again: Vec<Request> = again.cloned().collect();
        // Not the layout's fault, unless what cargo made runs.
        if !again.is_empty() && process::check().is_ok() {
            let as_made = session.run_round(target, executables(target), &again);
            let is_fine = |one: &&Request| {
                let mut outcomes = as_made.iter();
                outcomes.any(|outcome| outcome.key == one.key && !failed(outcome))
            };
            let fine: Vec<Request> = again.iter().filter(is_fine).cloned().collect();
            // Nor is it if the same layout runs the next time: the benchmark fails at random.
            let repeated = match fine[..] {
                [] => Vec::new(),
                _ => session.run_round(target, drawn.map(Some), &fine),
            };
            let at_random = |key: &BenchmarkKey| {
                let mut repeated = repeated.iter();
                repeated.any(|outcome| outcome.key == *key && !failed(outcome))
            };
            if let Some(fine) = fine.iter().find(|one| !at_random(&one.key)) {
                let benchmark = fine.key.id.clone();
                self.leave(index, target, RelinkError::Fails { benchmark });
            }
            outcomes.retain(|outcome| !failed(outcome) || at_random(&outcome.key));
            outcomes.extend(
                as_made
                    .into_iter()
                    .filter(|outcome| !at_random(&outcome.key)),
            );
        }
        session.forget(drawn);
        outcomes
    }

    /// The executables for the next round; `None` for those that cargo made.
    fn draw(&mut self, index: usize, target: &Target, order: Order) -> Option<Paired<Executable>> {
        let began = Instant::now();
        let scratch = self.scratch;
        let (drawn, count) = match self.targets.get_mut(&index)? {
            Source::Cargo => return None,
            Source::Drawn(linkable) => (linkable.draw(scratch, index, order), linkable.drawn),
            Source::Shared(_, Some(made)) => return Some(Paired::clone(made)),
            Source::Shared(linkable, made) => {
                let drawn = linkable.draw(scratch, index, order);
                *made = drawn.as_ref().ok().cloned().map(Box::new);
                (drawn, linkable.drawn)
            }
        };
        self.run.took += began.elapsed();
        self.run.drawn = self.run.drawn.max(count);
        drawn.map_err(|error| self.leave(index, target, error)).ok()
    }

    /// Keeps the layout that cargo made from here on.
    fn leave(&mut self, index: usize, target: &Target, error: RelinkError) {
        self.targets.insert(index, Source::Cargo);
        // A linker that was ended with the run has not failed.
        if process::check().is_ok() {
            self.note(target, error.into());
        }
    }

    fn note(&mut self, target: &Target, reason: FixedReason) {
        self.run.fixed.push(FixedLayout {
            package: target.package.clone(),
            target: target.target.clone(),
            reason,
        });
    }

    /// Removes all files.
    pub(super) fn finish(self) -> LayoutRun {
        for source in self.targets.values() {
            if let Source::Drawn(linkable) | Source::Shared(linkable, _) = source {
                linkable.remove();
            }
        }
        self.run
    }
}

/// What cargo made.
pub(super) fn executables(target: &Target) -> Paired<Option<&Executable>> {
    target.executables.as_ref().map(Option::as_ref)
}

/// A target that can be linked again.
#[derive(Debug)]
struct Linkable {
    order: FunctionOrder,
    made: Paired<Executable>,
    links: Paired<KeptLink>,
    drawn: usize,
}

impl Linkable {
    /// Makes sure that linking again gives what cargo made.
    fn of(made: Paired<&Executable>, scratch: &Scratch) -> Result<Linkable, RelinkError> {
        let links = made.try_map(|side| side.link.clone().ok_or(RelinkError::NotKept))?;
        let paths = made.map(|executable| executable.path.as_path());
        let order = FunctionOrder::of(paths).ok_or(RelinkError::NoSymbols)?;
        let linkable = Linkable {
            order,
            made: made.map(Clone::clone),
            links,
            drawn: 0,
        };
        let verified = Paired::at_once(|side| {
            let link = linkable.links.get(side);
            link.verify(
                paths.get(side),
                scratch,
                &linkable.made.get(side).laid_out().path,
            )
        });
        linkable.remove();
        verified.base.and(verified.head)?;
        Ok(linkable)
    }

    /// Links both sides in the next order.
    fn draw(
        &mut self,
        scratch: &Scratch,
        target: usize,
        order: Order,
    ) -> Result<Paired<Executable>, RelinkError> {
        let layouts = self.order.draw(&mut order.layouts(target, self.drawn));
        let linked = Paired::at_once(|side| self.link(side, &layouts, scratch));
        let drawn = Paired::new(linked.base?, linked.head?);
        self.drawn += 1;
        Ok(drawn)
    }

    fn link(
        &self,
        side: Side,
        layouts: &Paired<CodeLayout<'_>>,
        scratch: &Scratch,
    ) -> Result<Executable, RelinkError> {
        let drawn = self.made.get(side).laid_out();
        let link = self.links.get(side);
        link.laid_out(scratch, layouts.get(side), &drawn.path)?;
        Ok(drawn)
    }

    fn remove(&self) {
        for side in Side::BOTH {
            // It is in a folder of builds, where the next run writes it anew.
            let _ = fs::remove_file(self.made.get(side).laid_out().path);
        }
    }
}

impl Executable {
    /// The same in another layout: beside the one that cargo made, since an executable may look for other files from
    /// where it lies itself.
    fn laid_out(&self) -> Executable {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push("-layout");
        Executable {
            path: self.path.with_file_name(name),
            ..self.clone()
        }
    }
}
