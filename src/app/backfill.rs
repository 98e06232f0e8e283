//! Measures commits of the past, one pair of neighbours after the other.
//!
//! Each pair is an ordinary comparison, and recorded as soon as it is done: a backfill that is killed loses one pair at
//! most. The commit that two pairs share stays on its side, where its build is kept, so each pair costs one build.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::assemble::machine_class;
use super::deliver::print;
use super::failure::RunFailure;
use super::{close_scratch, compare, open_scratch, settle};
use crate::analyse::{Comparison, Verdict};
use crate::build::BuildError;
use crate::discover::DiscoverError;
use crate::environment::Machine;
use crate::history::{
    self, Backfill, BackfillOutlook, CommitRange, HistoryStore, Neighbours, RefusedFile, RunRecord,
    StoredFile, UnbuildableCommit,
};
use crate::judge::{EarlyEnd, RunPart, Shortfall};
use crate::measure::Remark;
use crate::plan::{
    BackfillArgs, BackfillPlan, Environment, ExitStatus, Plan, RangeSpec, Verbosity,
};
use crate::process::{self, Interrupted};
use crate::report::{self, Report};
use crate::revision::{self, RevisionError};
use crate::ui::Progress;
use crate::units::{Paired, Side, Timestamp};

/// Records every pair of neighbours of the range that no run joins, as far as the time goes.
pub(super) fn backfill(
    args: &BackfillArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    let BackfillPlan {
        base,
        head,
        place,
        each,
    } = BackfillPlan::resolve(args, environment)?;
    let folder = each.manifest_path.parent().unwrap_or(Path::new("."));
    let store = HistoryStore::open(&place, folder)?;
    let contents = store.read()?;
    for RefusedFile { path, why } in &contents.refused {
        anstream::eprintln!("skipped `{path}` of {store}: {why}");
    }
    let runs = contents.runs();
    let repository = revision::open(folder, None).map_err(RunFailure::of_revision)?;
    let range = CommitRange::between(&repository, &base, &head)?;
    let backfill = Backfill::of(range, &runs, &contents.unbuildable());
    let backfill = match args.retry {
        true => backfill.retried(),
        false => backfill,
    };
    if args.dry_run {
        let outlook = BackfillOutlook {
            usual: history::usual_duration(&runs, &machine_class(&Machine::read())),
            limit: each.time,
            per_benchmark: each.sampling.time,
        };
        let text = history::backfill_text(&backfill, &outlook);
        print(&text, out)?;
        return Ok(ExitStatus::Success);
    }
    let each = settle(each)?;
    let session = BackfillSession {
        quiet: each.terminal.verbosity == Verbosity::Quiet,
        end: each.time.map(|time| Instant::now() + time),
        each: &each,
        store: &store,
        laid_out: None,
        attempts: 0,
        took: Vec::new(),
    };
    session.run(backfill, out)
}

/// One call of the command.
struct BackfillSession<'a> {
    each: &'a Plan,
    store: &'a HistoryStore,
    quiet: bool,
    end: Option<Instant>,
    /// The commits whose builds lie on each side.
    laid_out: Option<Paired<String>>,
    /// How many pairs were tried.
    attempts: usize,
    /// How long each pair that was measured took.
    took: Vec<Duration>,
}

/// What came of a pair.
enum PairOutcome {
    /// It was measured.
    Measured(Box<RunRecord>),
    /// This commit cannot be built, or has nothing to measure.
    Unusable(String, RunFailure),
    /// It was not finished.
    Unfinished,
}

impl BackfillSession<'_> {
    fn run(
        mut self,
        mut backfill: Backfill,
        out: &mut impl Write,
    ) -> Result<ExitStatus, RunFailure> {
        if backfill.is_cut && !self.quiet {
            anstream::eprintln!("{}", history::CUT);
        }
        loop {
            let missing = backfill.missing();
            let Some(next) = missing.first() else { break };
            if process::interrupted().is_some() || !self.has_time() {
                break;
            }
            self.attempts += 1;
            if !self.quiet {
                let left = missing.len();
                anstream::eprintln!("{} ({left} to go)", history::named(next));
            }
            match self.compare(next)? {
                PairOutcome::Measured(mut run) => {
                    run.bridged.clone_from(&next.bridged);
                    let line = format!("{}  {}\n", history::named(next), history::tally(&run));
                    self.store.add(&[StoredFile::Run(run)])?;
                    backfill.record(next);
                    print(&line, out)?;
                }
                PairOutcome::Unusable(id, why) => {
                    backfill.leave_out(&id);
                    if is_of_commit(&why) {
                        self.store.add(&[unbuildable(&id)])?;
                    }
                    anstream::eprintln!("{}", history::left_out(&id, &why.to_string()));
                }
                PairOutcome::Unfinished => break,
            }
        }
        let ended_by = process::interrupted();
        let summary = history::summary(&backfill, self.took.len(), self.store, ended_by);
        print(&format!("{summary}\n"), out)?;
        match ended_by {
            Some(signal @ Interrupted::Signal(_)) => Err(RunFailure::other(signal)),
            _ => Ok(ended(backfill.missing().len(), self.took.len())),
        }
    }

    /// Whether another pair probably fits: it takes as long as those before it. The first one is always tried.
    fn has_time(&self) -> bool {
        let Some(end) = self.end else { return true };
        let left = end.saturating_duration_since(Instant::now());
        is_left_for_another(left, self.attempts, &self.took)
    }

    fn compare(&mut self, next: &Neighbours) -> Result<PairOutcome, RunFailure> {
        let began = Instant::now();
        let sides = self.sides(next);
        self.laid_out = Some(sides.clone());
        let plan = Plan {
            range: RangeSpec::Between {
                base: sides.base.clone(),
                head: sides.head.clone(),
            },
            time: self.end.map(|end| end.saturating_duration_since(began)),
            ..self.each.clone()
        };
        let made = self.report(&plan);
        // The next pair's builds are not ended half-way.
        process::forget_end();
        let report = match made {
            Ok(report) if is_whole(&report) => report,
            Err(failure) if process::interrupted().is_none() => {
                let at_fault = match sides_at_fault(&failure)[..] {
                    [] => return Err(failure),
                    [side] => sides.get(side).clone(),
                    // The newer one may have something to measure beside another.
                    _ => next.older.id.clone(),
                };
                return Ok(PairOutcome::Unusable(at_fault, failure));
            }
            Ok(_) | Err(_) => return Ok(PairOutcome::Unfinished),
        };
        let run = match RunRecord::of_finished(&report) {
            Ok(run) if sides.head == next.newer.id => run,
            Ok(run) => run.reversed(),
            Err(why) => {
                let older = next.older.id.clone();
                return Ok(PairOutcome::Unusable(older, RunFailure::other(why)));
            }
        };
        self.took.push(began.elapsed());
        Ok(PairOutcome::Measured(Box::new(run)))
    }

    /// Which commit is on which side: one whose build is there stays. Names that differ between the sides have a
    /// direction.
    fn sides(&self, next: &Neighbours) -> Paired<String> {
        let (older, newer) = (next.older.id.clone(), next.newer.id.clone());
        let is_crossed = self
            .laid_out
            .as_ref()
            .is_some_and(|there| there.base == newer || there.head == older);
        match is_crossed && self.each.renames.is_empty() {
            true => Paired::new(newer, older),
            false => Paired::new(older, newer),
        }
    }

    fn report(&self, plan: &Plan) -> Result<Report, RunFailure> {
        let scratch = open_scratch(plan)?;
        let kind = compare::kind(&plan.terminal);
        let progress = Progress::new(kind, plan.time, std::io::stderr());
        let made = {
            let sink = progress.sink();
            compare::make_report(plan, &scratch, &sink)
        };
        progress.finish();
        close_scratch(scratch, plan.keep)?;
        made
    }
}

/// The exit status while so many pairs are missing: a call that measured none would not get further another time.
fn ended(missing: usize, measured: usize) -> ExitStatus {
    match (missing, measured) {
        (0, _) => ExitStatus::Success,
        (_, 0) => ExitStatus::NothingMeasured,
        _ => ExitStatus::EndedEarly,
    }
}

fn is_left_for_another(left: Duration, attempts: usize, took: &[Duration]) -> bool {
    match u32::try_from(took.len()).unwrap_or(u32::MAX) {
        0 => attempts == 0 || !left.is_zero(),
        count => left >= took.iter().sum::<Duration>() / count,
    }
}

/// Whether another run would record no more: nothing that a history keeps was cut short.
fn is_whole(report: &Report) -> bool {
    let Some(partial) = &report.partial else {
        return true;
    };
    let is_open = |one: &Comparison| {
        let is_cut = |remark: &Remark| matches!(remark, Remark::CutShort { .. });
        one.verdict == Verdict::Inconclusive && one.estimate().is_none()
            || one.remarks.iter().any(is_cut)
    };
    report.measured() != report::Measuring::Nothing
        && !partial.shortfalls.iter().any(is_recorded)
        && !report.benchmarks.iter().any(is_open)
}

/// Whether a history keeps what was cut short. What failed would fail another time, too.
fn is_recorded(shortfall: &Shortfall) -> bool {
    let kept = match shortfall.part {
        RunPart::Time | RunPart::Allocations | RunPart::Instructions => true,
        RunPart::Reach | RunPart::Profiles | RunPart::Programs | RunPart::Artifacts => false,
    };
    kept && !matches!(shortfall.cause, EarlyEnd::Failed { .. })
}

/// The sides whose commits are at fault, and not the machine.
fn sides_at_fault(failure: &RunFailure) -> Vec<Side> {
    if let Some(error) = failure.cause::<BuildError>() {
        return error.sides_at_fault();
    }
    match (failure.cause(), failure.cause()) {
        (Some(RevisionError::NoManifest { side, .. }), _) => vec![*side],
        (
            _,
            Some(
                DiscoverError::NoBenchTargets
                | DiscoverError::NoCriterion { .. }
                | DiscoverError::NothingMatches { .. },
            ),
        ) => Side::BOTH.to_vec(),
        _ => Vec::new(),
    }
}

/// Whether another call would meet it, too: which benchmarks there are to measure is up to its options.
fn is_of_commit(failure: &RunFailure) -> bool {
    let error = failure.cause::<BuildError>();
    error.is_some_and(BuildError::is_whatever_is_asked_for)
}

fn unbuildable(id: &str) -> StoredFile {
    StoredFile::Unbuildable(UnbuildableCommit {
        commit: id.to_owned(),
        date: Timestamp::now(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Partial;

    #[test]
    fn attempts_that_measure_nothing_use_up_the_time() {
        let minute = Duration::from_secs(60);
        assert!(is_left_for_another(Duration::ZERO, 0, &[]));
        assert!(is_left_for_another(minute, 3, &[]));
        assert!(!is_left_for_another(Duration::ZERO, 3, &[]));
        assert!(is_left_for_another(minute, 1, &[minute]));
        assert!(!is_left_for_another(minute / 2, 1, &[minute]));
    }

    #[test]
    fn a_call_that_got_nowhere_does_not_ask_to_be_repeated() {
        assert_eq!(ended(0, 0), ExitStatus::Success);
        assert_eq!(ended(3, 0), ExitStatus::NothingMeasured);
        assert_eq!(ended(3, 1), ExitStatus::EndedEarly);
    }

    #[test]
    fn a_pair_whose_counts_or_rounds_were_cut_is_not_whole() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/demo.v1.json");
        let mut report = report::load(path.as_ref()).unwrap();
        report.partial = None;
        assert!(is_whole(&report));
        let mut with = |part, cause| {
            let shortfall = Shortfall {
                part,
                cause,
                left: 1,
                of: 2,
            };
            report.partial = Some(Partial {
                shortfalls: vec![shortfall],
                next: None,
            });
            is_whole(&report)
        };
        assert!(!with(RunPart::Allocations, EarlyEnd::TimeUp));
        assert!(!with(RunPart::Time, EarlyEnd::TimeUp));
        assert!(with(RunPart::Reach, EarlyEnd::TimeUp));
        let reason = "no valgrind".to_owned();
        assert!(with(RunPart::Instructions, EarlyEnd::Failed { reason }));
        report.partial.as_mut().unwrap().shortfalls.clear();
        let remarks = &mut report.benchmarks[0].remarks;
        remarks.push(Remark::CutShort { rounds: 3 });
        assert!(!is_whole(&report));
    }
}
