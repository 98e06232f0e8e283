//! Taking turns with the other side.
//!
//! The turn is one byte in a FIFO. The side that holds it runs; at the first read of a sample a side that has held
//! it long enough writes it into the other's FIFO and sleeps in `read` on its own. A side with more threads than
//! the one that sleeps says so, and is stopped as a whole until its next turn. The host keeps both ends of both
//! FIFOs open, so there is never an end of file or a broken pipe. It can also write a byte itself: in this way a
//! side whose peer is gone learns to continue alone.

use core::ffi::c_int;

use crate::layout;
use crate::peer::{self, Peer};
use crate::shared::Shared;
use crate::sys;

/// Who may run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The benchmark has just begun: the host has given the turn to one side.
    Unknown,
    /// We, since that time.
    Ours { since: u64 },
    /// We, until the next benchmark.
    Alone,
}

/// The FIFOs, and whose turn it is.
pub(crate) struct Turns {
    own: c_int,
    others: c_int,
    turn: Turn,
    peer: Peer,
}

impl Turns {
    pub(crate) fn new(own: c_int, others: c_int) -> Self {
        Turns {
            own,
            others,
            turn: Turn::Unknown,
            peer: Peer::RUNNING,
        }
    }

    /// A new benchmark begins.
    pub(crate) fn reset(&mut self) {
        self.turn = Turn::Unknown;
        // The host has let it run again.
        self.peer = Peer::RUNNING;
    }

    /// Returns when it is this side's turn; `clock` reads the monotonic clock.
    pub(crate) fn take(&mut self, shared: &Shared, clock: impl Fn() -> u64) {
        match self.turn {
            Turn::Alone => return,
            Turn::Ours { since } => {
                let held = clock().wrapping_sub(since);
                if held < shared.get(layout::SLICE_NS) {
                    return;
                }
                let several = peer::works_beside_this_thread();
                if (several || self.peer.is_stopped()) && held < self.peer.shortest_turn() {
                    return;
                }
                self.peer.resume(shared);
                if !pass(self.others, several) {
                    self.turn = Turn::Alone;
                    return;
                }
            }
            Turn::Unknown => {}
        }
        shared.set(layout::PHASE, layout::PHASE_WAITING);
        self.turn = match wait(self.own) {
            Some(layout::TOKEN) => Turn::Ours { since: clock() },
            Some(layout::TOKEN_OF_SEVERAL) => {
                self.peer.stop(shared, &clock);
                Turn::Ours { since: clock() }
            }
            // The host said so, or the FIFO is broken: waiting in vain is worse than not alternating.
            _ => Turn::Alone,
        };
        shared.add(layout::TURNS, 1);
        shared.set(layout::PHASE, layout::PHASE_RUNNING);
    }
}

fn pass(fifo: c_int, several: bool) -> bool {
    let token = match several {
        true => layout::TOKEN_OF_SEVERAL,
        false => layout::TOKEN,
    };
    loop {
        // SAFETY: one readable byte.
        let written = unsafe { sys::write(fifo, (&raw const token).cast(), 1) };
        if written == 1 {
            return true;
        }
        if !interrupted() {
            return false;
        }
    }
}

fn wait(fifo: c_int) -> Option<u8> {
    let mut byte = 0_u8;
    loop {
        // SAFETY: one writable byte.
        let got = unsafe { sys::read(fifo, (&raw mut byte).cast(), 1) };
        if got == 1 {
            return Some(byte);
        }
        if got == 0 || !interrupted() {
            return None;
        }
    }
}

fn interrupted() -> bool {
    sys::errno() == sys::EINTR
}
