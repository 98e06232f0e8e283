//! A new placement of functions for each round: where code lies in memory is luck, and luck is no change.
//!
//! Both sides of a target are linked again in a random order ([`FunctionOrder`]) in which unchanged functions have the
//! same address on both sides. So a benchmark that executes only such functions meets the same placement on both, and
//! one that executes changed functions is timed in as many placements as it has rounds: the interval is over them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::binary::{CodeLayout, FunctionOrder};
use crate::build::{Executable, KeptLink, RelinkError};
use crate::discover::Target;
use crate::plan::{Layouts, Sampling};
use crate::process;
use crate::scratch::Scratch;
use crate::units::{Paired, Side};

use super::order::Order;

/// Where linking both sides takes longer, all rounds share one layout.
const LONGEST_LINK: Duration = Duration::from_secs(3);

/// In which layouts benchmarks were timed.
#[derive(Debug, Clone, Default)]
pub struct LayoutRun {
    /// The most layouts that were drawn for a target.
    pub drawn: usize,
    /// How long linking took.
    pub took: Duration,
    /// The targets that were timed in the layout that cargo made, and why.
    pub fixed: Vec<FixedLayout>,
}

/// A target whose functions could not be placed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedLayout {
    /// The bench target.
    pub target: String,
    /// Why, as a lower-case fragment.
    pub reason: String,
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
    /// One for all rounds, since linking takes long.
    Shared(Linkable),
    /// As cargo made it.
    Cargo,
}

/// A target that can be linked again.
#[derive(Debug)]
struct Linkable {
    order: FunctionOrder,
    links: Paired<KeptLink>,
    drawn: usize,
}

/// Both executables of a target in a new layout.
#[derive(Debug)]
pub(super) struct DrawnLayout {
    executables: Paired<Executable>,
    folder: PathBuf,
}

impl DrawnLayout {
    pub(super) fn executables(&self) -> Paired<&Executable> {
        self.executables.as_ref()
    }

    /// Removes the files.
    pub(super) fn remove(self) {
        // What is left goes with the run's folder.
        let _ = fs::remove_dir_all(self.folder);
    }
}

impl<'a> TargetLayouts<'a> {
    pub(super) fn new(sampling: &Sampling, scratch: &'a Scratch) -> TargetLayouts<'a> {
        TargetLayouts {
            wanted: sampling.layouts,
            scratch,
            targets: BTreeMap::new(),
            run: LayoutRun::default(),
        }
    }

    /// The executables of target number `index` for this round; `None` for those that cargo made.
    pub(super) fn draw(
        &mut self,
        index: usize,
        target: &Target,
        round: usize,
        order: Order,
    ) -> Option<DrawnLayout> {
        let made = target.executables.as_ref().map(Option::as_ref);
        let (Layouts::Auto, Some(base), Some(head)) = (self.wanted, made.base, made.head) else {
            return None;
        };
        let made = Paired::new(base, head);
        let began = Instant::now();
        let scratch = self.scratch;
        let folder = scratch.path().join(format!("layout-{index}-{round}"));
        if !self.targets.contains_key(&index) {
            let source = match Linkable::of(made, scratch, &folder) {
                Ok(linkable) if began.elapsed() > LONGEST_LINK => Source::Shared(linkable),
                Ok(linkable) => Source::Drawn(linkable),
                Err(error) => self.leave(target, &error),
            };
            self.targets.insert(index, source);
        }
        let drawn = match self.targets.get_mut(&index)? {
            Source::Cargo => return None,
            Source::Drawn(linkable) => linkable.link(made, scratch, &folder, (index, round), order),
            Source::Shared(linkable) => linkable.link(made, scratch, &folder, (index, 0), order),
        };
        self.run.took += began.elapsed();
        match drawn {
            Ok((drawn, count)) => {
                self.run.drawn = self.run.drawn.max(count);
                Some(drawn)
            }
            Err(error) => {
                let source = self.leave(target, &error);
                self.targets.insert(index, source);
                None
            }
        }
    }

    /// Keeps the layout that cargo made from here on.
    fn leave(&mut self, target: &Target, error: &RelinkError) -> Source {
        // A linker that was ended with the run has not failed.
        if process::check().is_err() {
            return Source::Cargo;
        }
        let cause = std::error::Error::source(error);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        self.run.fixed.push(FixedLayout {
            target: target.target.clone(),
            reason: format!("{error}{cause}"),
        });
        Source::Cargo
    }

    pub(super) fn finish(self) -> LayoutRun {
        self.run
    }
}

impl Linkable {
    /// Makes sure that linking again gives what cargo made.
    fn of(
        made: Paired<&Executable>,
        scratch: &Scratch,
        folder: &Path,
    ) -> Result<Linkable, RelinkError> {
        let links = made.try_map(|side| side.link.clone().ok_or(RelinkError::NotKept))?;
        fs::create_dir_all(folder)?;
        let verified = Paired::at_once(|side| {
            let out = folder.join(side.name());
            let verified = links.get(side).verify(&made.get(side).path, scratch, &out);
            fs::remove_file(&out).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            verified
        });
        verified.base.and(verified.head)?;
        let paths = made.map(|executable| executable.path.as_path());
        let order = FunctionOrder::of(paths).ok_or(RelinkError::Different)?;
        Ok(Linkable {
            order,
            links,
            drawn: 0,
        })
    }

    /// Links both sides in the order that is drawn for this target and round; also gives how many orders were drawn.
    fn link(
        &mut self,
        made: Paired<&Executable>,
        scratch: &Scratch,
        folder: &Path,
        (target, round): (usize, usize),
        order: Order,
    ) -> Result<(DrawnLayout, usize), RelinkError> {
        let layouts = self.order.draw(&mut order.layouts(target, round));
        fs::create_dir_all(folder)?;
        let linked = Paired::at_once(|side| self.link_side(side, &layouts, made, scratch, folder));
        let (base, head) = (linked.base?, linked.head?);
        self.drawn = self.drawn.max(round + 1);
        let executables = Paired::new(base, head);
        let drawn = DrawnLayout {
            executables,
            folder: folder.to_owned(),
        };
        Ok((drawn, self.drawn))
    }

    fn link_side(
        &self,
        side: Side,
        layouts: &Paired<CodeLayout<'_>>,
        made: Paired<&Executable>,
        scratch: &Scratch,
        folder: &Path,
    ) -> Result<Executable, RelinkError> {
        let made = *made.get(side);
        // Paths of equal length, since they lie on the stack of the process.
        let own = folder.join(side.name());
        fs::create_dir_all(&own)?;
        let name = made.path.file_name().unwrap_or(made.target.as_ref());
        let path = own.join(name);
        let link = self.links.get(side);
        link.laid_out(scratch, layouts.get(side), &path)?;
        Ok(Executable {
            path,
            ..made.clone()
        })
    }
}
