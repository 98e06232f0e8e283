//! Keeps what a run measured.

use super::failure::RunFailure;
use crate::history::{HistoryStore, RunRecord, StoredFile};
use crate::plan::{Plan, Verbosity};
use crate::report::Report;

/// Records `report` where the plan wants it. That a run cannot be kept since a side is no commit fails nothing, and
/// is told whatever the verbosity: it was asked for.
pub(super) fn record(plan: &Plan, report: &Report) -> Result<(), RunFailure> {
    let Some(place) = &plan.record else {
        return Ok(());
    };
    let run = match RunRecord::of_finished(report) {
        Ok(run) => run,
        Err(why) => {
            anstream::eprintln!("{why}");
            if let Some(hint) = why.hint() {
                anstream::eprintln!("hint: {hint}");
            }
            return Ok(());
        }
    };
    let folder = plan.manifest_path.parent().unwrap_or(&plan.manifest_path);
    let store = HistoryStore::open(place, folder)?;
    store.add(&[StoredFile::Run(Box::new(run))])?;
    if plan.terminal.verbosity != Verbosity::Quiet {
        anstream::eprintln!("recorded in {store}; `cargo perfcheck trend` shows it");
    }
    Ok(())
}
