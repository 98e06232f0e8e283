//! The run's private folder. When it goes, the run's child processes end, too: on success, on
//! error, on Ctrl-C, SIGTERM and SIGHUP, and, through a guardian process, on `kill -9`.
//!
//! - [`Scratch`] is the folder (mode 0700), held by a lock, removed by [`Scratch::close`] or on
//!   drop. Creating one also removes what dead runs left behind; live runs are not touched.
//! - [`Scratch::spawn`] and [`Scratch::spawn_benchmark`] start the run's children.
//! - [`guardian::run`] is the hidden subcommand [`guardian::SUBCOMMAND`].

mod error;
mod folder;
pub mod guardian;
mod place;
mod remove;
#[cfg(test)]
mod tests;

pub use error::ScratchError;
pub use folder::Scratch;
pub use place::{
    RunPlace, all_parents, default_parent, foreign_file, is_cargo_home, is_ours, repository_of,
};
pub(crate) use remove::remove_tree;

/// The lock file's name, in a run's folder and in the folder of all runs.
const LOCK: &str = "lock";

/// The name of the file that marks a folder to be kept.
const KEPT: &str = "kept";

/// What the name of a run's folder begins with.
const PREFIX: &str = "run-";
