//! The machine that measures: facts that a reader needs to interpret the numbers, and the two
//! disturbances that can be seen from outside, load and stolen time.

mod busy;
mod cores;
mod machine;
mod occupied;
mod processor;
mod steal;
mod ticks;

pub(crate) use busy::BusyWatch;
pub(crate) use cores::performance_cores;
pub(crate) use machine::Machine;
pub(crate) use occupied::{Occupied, occupied};
pub(crate) use steal::StealWatch;
pub(crate) use ticks::wanted_ticks;

use std::path::Path;

/// A one-line pseudo-file without its line end; `None` if it does not exist or is empty.
pub(crate) fn read_line(path: &Path) -> Option<String> {
    let text = fs_err::read_to_string(path).ok()?;
    // Texts from the device tree end in NUL.
    let line = text
        .lines()
        .next()?
        .trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!line.is_empty()).then(|| line.to_owned())
}
