//! The run's private folder, its child processes, and their certain end: on success, on error, on
//! Ctrl-C, SIGTERM, SIGHUP, and, through a guardian process, on `kill -9`.
//!
//! Interface (see the doc comment of each item once written):
//! - `Scratch::create(parent: &Path) -> Result<Scratch, ScratchError>`; `scratch.path()`,
//!   removed on drop unless `scratch.keep()`.
//! - `Scratch::spawn(&self, Command) -> io::Result<Child>`: in a process group of its own, known to
//!   the guardian, killed with the run.
//! - `interrupted() -> bool`.
