//! Whether builds are kept from one run to the next, and how much of them.

use crate::units::Bytes;

use super::{CompareOptions, default};

/// Whether builds are kept for the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// Everything is built in the run's own folder and removed with it.
    Off,
    /// They are kept, and those of all repositories together take no more than this.
    Bounded(Bytes),
}

impl Cache {
    /// With `--keep`, both trees stay in the run's own folder.
    pub(super) fn resolve(options: &CompareOptions) -> Cache {
        if options.selection.no_cache || options.keep {
            return Cache::Off;
        }
        let size = options.selection.cache_size.unwrap_or(default::CACHE_SIZE);
        Cache::Bounded(size.0)
    }
}
