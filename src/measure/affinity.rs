//! Which processor is the best to measure on.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::environment::{performance_cores, wanted_ticks};
use crate::process::allowed_processors;

/// How long the processors are watched to find the quietest.
const WATCH: Duration = Duration::from_millis(200);

/// The allowed processor of the fastest kind that is least busy now; `None` if only one is allowed.
pub(super) fn quietest() -> Option<usize> {
    let allowed = allowed_processors();
    if allowed.len() < 2 {
        return None;
    }
    let fast = performance_cores(&allowed, Path::new("/"));
    let before = wanted_ticks();
    std::thread::sleep(WATCH);
    let after = wanted_ticks();
    fast.into_iter().min_by_key(|cpu| {
        let at = |times: &BTreeMap<usize, u64>| times.get(cpu).copied().unwrap_or(0);
        // Among equals the last one: interrupts and the system's own work prefer the first.
        (at(&after).saturating_sub(at(&before)), usize::MAX - cpu)
    })
}
