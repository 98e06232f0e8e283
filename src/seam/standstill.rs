//! Stopping the whole side that waits (`probe/src/peer.rs`).

use super::{Seam, SeamError, layout};
use crate::units::{Paired, Side};

impl Seam {
    /// Tells each side the other's process, which leads a process group. A group with more than one thread or
    /// process is stopped as a whole while it is not its turn. Unless this is called, only the main threads take
    /// turns.
    ///
    /// # Errors
    /// If the shared files cannot be written.
    pub fn introduce(&self, processes: Paired<u32>) -> Result<(), SeamError> {
        for side in Side::BOTH {
            let peer = u64::from(*processes.get(side.other()));
            self.channels.get(side).set(layout::PEER, peer)?;
        }
        Ok(())
    }

    /// Whether `side` was stopped since the benchmark began.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn was_stopped(&self, side: Side) -> Result<bool, SeamError> {
        Ok(self.channels.get(side.other()).get(layout::STOPS)? > 0)
    }

    /// Whether `side` should have been stopped since the benchmark began but could not be: it may have worked
    /// during the other side's turns.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn worked_on(&self, side: Side) -> Result<bool, SeamError> {
        Ok(self.channels.get(side.other()).get(layout::UNSTOPPED)? > 0)
    }
}
