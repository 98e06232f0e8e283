//! The child processes of one run.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::daemons::{self, MARK, ProcessRole};
use super::groups::{self, Groups};
use super::{Child, cgroup, signals};

/// How long perfcheck waits between checks that the killed groups of a dead run are gone, and how often it checks.
const PATIENCE: (Duration, u32) = (Duration::from_millis(20), 250);

/// Starts the children of a run, and ends them.
#[derive(Debug)]
pub(crate) struct Children {
    /// The name of the run's folder, which is in the mark of each child.
    run: OsString,
    groups: Arc<Groups>,
    /// How many benchmark processes were started.
    benchmarks: AtomicU32,
}

impl Children {
    /// The children of the run in `folder`, where their journal is written. From now on signals end them.
    pub(crate) fn of_run(folder: &Path) -> io::Result<Children> {
        let groups = Arc::new(Groups::create(folder)?);
        signals::watch(&groups);
        daemons::adopt_orphans();
        Ok(Children {
            run: folder.file_name().unwrap_or_default().to_owned(),
            groups,
            benchmarks: AtomicU32::new(0),
        })
    }

    /// Starts a tool in a process group of its own.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        self.spawn_as(ProcessRole::Tool, command)
    }

    /// Starts a benchmark, whose daemons end with it.
    pub(crate) fn spawn_benchmark(&self, command: &mut Command) -> io::Result<Child> {
        let number = self.benchmarks.fetch_add(1, Ordering::Relaxed);
        self.spawn_as(ProcessRole::Benchmark(number), command)
    }

    fn spawn_as(&self, role: ProcessRole, command: &mut Command) -> io::Result<Child> {
        let mark = daemons::mark(&self.run, role);
        command.process_group(0).env(MARK, &mark);
        let (child, group) = self.groups.spawn(|| command.spawn())?;
        let leaves = matches!(role, ProcessRole::Benchmark(_)).then_some(mark);
        Ok(Child::new(child, group, Arc::clone(&self.groups), leaves))
    }

    /// Kills them all, and the daemons of the benchmarks.
    pub(crate) fn end(&self) {
        self.groups.kill_all();
        if self.benchmarks.load(Ordering::Relaxed) > 0 {
            daemons::end_those_of_run(&self.run);
        }
    }
}

/// Kills the process groups of a dead run, which the journal in its folder names, and the daemons of
/// its benchmarks, and removes its control groups.
pub(crate) fn end_those_of_dead_run(folder: &Path) {
    let killed = groups::kill_journalled(folder);
    let (pause, times) = PATIENCE;
    for _ in 0..times {
        if !killed.iter().copied().any(groups::exists) {
            break;
        }
        std::thread::sleep(pause);
    }
    if let Some(run) = folder.file_name() {
        daemons::end_those_of_run(run);
        // The run may have died between starting a child and noting it.
        daemons::end_tools_of_run(run);
    }
    cgroup::remove_those_of_dead_run(folder);
}
