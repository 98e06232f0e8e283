//! Why a process that is counted ran no further, and what it is to blame for.

use crate::seam::SeamError;

use super::super::counted::Counted;
use super::super::player::Fault;
use super::super::seams::explain;
use super::Run;

/// Why a process ran no further.
pub(super) enum CountingStop {
    /// It has ended as it should.
    Over,
    /// It was ended, since it had run enough of a benchmark.
    Enough,
    /// Something went wrong.
    Fault(Fault),
    /// Nothing that it does can be counted.
    Blind(String),
}

impl From<Fault> for CountingStop {
    fn from(fault: Fault) -> Self {
        CountingStop::Fault(fault)
    }
}

impl From<SeamError> for CountingStop {
    fn from(error: SeamError) -> Self {
        CountingStop::Blind(explain(&error))
    }
}

/// Notes why a process ran no further, and closes what it is to blame for: without that, the next
/// process would meet the same.
pub(super) fn blame(
    stop: CountingStop,
    run: &mut Run<'_, '_>,
    before: usize,
    counted: &mut [Counted],
) {
    let side = run.side;
    let (culprits, why) = match stop {
        CountingStop::Over | CountingStop::Enough => {
            let why = "was named by its executable and then not run by it".to_owned();
            (run.open.clone(), why)
        }
        CountingStop::Blind(why) => (run.open.clone(), why),
        CountingStop::Fault(Fault { id, failure }) => {
            let culprits = match id.filter(|id| run.open.contains(id)) {
                Some(id) => vec![id],
                // It broke on the way to the next one; if it never began, it never will.
                None if run.open.len() < before => run.open.iter().take(1).cloned().collect(),
                None => run.open.clone(),
            };
            (culprits, failure.reason)
        }
    };
    run.open.retain(|id| !culprits.contains(id));
    for each in counted {
        if culprits.contains(&each.key.id) {
            each.note(&format!("{side}: {why}"));
        }
    }
}
