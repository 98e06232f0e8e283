//! The run's private folder, its child processes, and their certain end: on success, on error, on
//! Ctrl-C, SIGTERM and SIGHUP, and, through a guardian process, on `kill -9`.
//!
//! - [`Scratch`] is the folder (mode 0700), held by a lock, removed by [`Scratch::close`] or on
//!   drop. Creating one also removes what dead runs left behind; live runs are not touched.
//! - [`Scratch::spawn`] starts a [`Child`] in a process group of its own. The group ends with the
//!   child, with the run, and with the run's sudden death. What a benchmark
//!   ([`Scratch::spawn_benchmark`]) started outside of its group, a daemon, ends with it, too.
//! - [`listen`] (once, early) makes signals end all children, so that blocked reads end; rooms then
//!   fail somehow, and [`interrupted`] says that the signal was the cause.
//! - [`clean_env`] takes out of a command's environment what git, cargo and rustup leak into it.
//! - [`guardian::run`] is the hidden subcommand [`guardian::SUBCOMMAND`].

mod child;
mod daemons;
mod env;
mod error;
mod folder;
mod groups;
pub mod guardian;
mod interruption;
mod place;
mod processes;
mod remove;
mod signals;
#[cfg(test)]
mod tests;

pub use child::Child;
pub use env::clean_env;
pub use error::ScratchError;
pub use folder::Scratch;
pub use place::{
    RunPlace, all_parents, default_parent, foreign_file, is_cargo_home, is_ours, repository_of,
};
pub(crate) use processes::executing;
pub(crate) use remove::remove_tree;

pub use interruption::{Interrupted, check, interrupted};
pub use signals::{end_at, listen};

/// The lock file's name, in a run's folder and in the folder of all runs.
const LOCK: &str = "lock";

/// The name of the file that says: this folder is to stay.
const KEPT: &str = "kept";

/// What the name of a run's folder begins with.
const PREFIX: &str = "run-";
