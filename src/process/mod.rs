//! Starting other programs (their environment, the program that launches them, their processor) and
//! making sure that they end.
//!
//! - [`command`] prepares a tool: its environment lacks what git, cargo, rustup and make leak into it
//!   ([`clean_env`]). A benchmark's environment lacks more ([`without_session`]).
//! - [`Runner`] is the user's program that starts another one; [`Placement`] the processor it runs on.
//! - [`Children`] starts a [`Child`] in a process group of its own. The group ends with the child,
//!   with the run, and with the run's sudden death. A benchmark's daemons, which have left its group,
//!   end with it, too.
//! - [`ProcessLimits`] are what a program may use, with a [`Cgroup`] where the system lets us make one.
//! - [`launcher`] is a small process between perfcheck and a whole program that it measures.
//! - [`listen`] (once, early) makes signals end all children, so that blocked reads return.
//!   Callers then fail in some way, and [`interrupted`] tells them that a signal was the cause.

mod cgroup;
mod child;
mod children;
mod daemons;
mod env;
mod groups;
mod heard_output;
mod interruption;
pub mod launcher;
mod limits;
mod peaks;
mod placement;
mod runner;
mod signals;
mod table;
mod tail;
mod usage;
mod valgrind;

pub(crate) use cgroup::{Cgroup, CgroupTree, CgroupVersion, Controller, ROOT as CGROUPS};
pub use child::Child;
pub(crate) use children::{Children, end_those_of_dead_run};
#[cfg(test)]
pub(crate) use daemons::{ProcessRole, mark};
pub use env::{clean_env, command};
pub(crate) use env::{inherited, without_session};
pub use interruption::{Interrupted, check, interrupted};
pub use launcher::{Launched, Launcher, MovedBytes, ProgramUsage};
pub(crate) use limits::ProcessLimits;
pub(crate) use peaks::GroupPeaks;
pub use placement::{Placement, allowed_processors};
pub use runner::Runner;
pub use signals::{end_at, forget_end, listen};
pub(crate) use table::{Stat, executing};
pub(crate) use tail::{Tail, last_lines};
pub(crate) use usage::GroupUsage;
pub use valgrind::{Valgrind, ValgrindError};
