//! The process groups of a run: a registry in memory, and a journal on disk from which another
//! process can end them when the run is dead.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::daemons::{self, MARK};
use super::interruption;
use super::table::{all, environment, stat};

/// The journal's name in the run's folder.
pub(super) const JOURNAL: &str = "groups";

/// The live process groups of one run.
#[derive(Debug)]
pub(super) struct Groups(Mutex<Live>);

#[derive(Debug)]
struct Live {
    journal: fs_err::File,
    groups: Vec<Pid>,
}

impl Groups {
    /// An empty registry whose journal is in `folder`.
    pub(super) fn create(folder: &Path) -> io::Result<Groups> {
        let journal = fs_err::File::create(folder.join(JOURNAL))?;
        let groups = Vec::new();
        Ok(Groups(Mutex::new(Live { journal, groups })))
    }

    /// Starts a process and registers its group in one step, so that no signal comes in between.
    pub(super) fn spawn(
        &self,
        start: impl FnOnce() -> io::Result<std::process::Child>,
    ) -> io::Result<(std::process::Child, Pid)> {
        let mut live = self.live();
        interruption::check().map_err(io::Error::other)?;
        let mut child = start()?;
        let recorded = pid_of(&child).and_then(|group| {
            let since = stat(group).map_or(0, |stat| stat.began);
            writeln!(live.journal, "+ {} {since}", group.as_raw_pid()).map(|()| group)
        });
        match recorded {
            Ok(group) => {
                live.groups.push(group);
                Ok((child, group))
            }
            // A process that could not be found again must not continue.
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    /// Kills what is left of `group`, whose leader has not been reaped yet, and forgets it.
    pub(super) fn end(&self, group: Pid) {
        let mut live = self.live();
        if let Some(position) = live.groups.iter().position(|known| *known == group) {
            kill(group);
            live.groups.swap_remove(position);
            // Only a shortcut for the reader: a stale entry is recognised by its start time.
            let _ = writeln!(live.journal, "- {}", group.as_raw_pid());
        }
    }

    /// Kills `group` where it is still registered.
    pub(super) fn kill(&self, group: Pid) {
        if self.live().groups.contains(&group) {
            kill(group);
        }
    }

    /// Sends `group` a signal, if the group is still registered.
    pub(super) fn signal(&self, group: Pid, signal: Signal) {
        if self.live().groups.contains(&group) {
            // The group may be gone already.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Kills all groups.
    pub(super) fn kill_all(&self) {
        self.live().groups.iter().copied().for_each(kill);
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kills the groups that the journal in `folder` names, if they still belong to that run. Returns
/// those that it killed.
pub(super) fn kill_journalled(folder: &Path) -> Vec<Pid> {
    let Ok(journal) = fs_err::read_to_string(folder.join(JOURNAL)) else {
        return Vec::new();
    };
    let run = folder.file_name().unwrap_or_default();
    let mut groups: Vec<(Pid, u64)> = Vec::new();
    for line in journal.lines() {
        let mut words = line.split(' ');
        let sign = words.next();
        let group = words.next().and_then(|word| word.parse().ok());
        let Some(group) = group.and_then(Pid::from_raw) else {
            continue;
        };
        groups.retain(|(known, _)| *known != group);
        if sign == Some("+") {
            let since = words.next().and_then(|word| word.parse().ok());
            groups.push((group, since.unwrap_or(0)));
        }
    }
    groups.retain(|(group, since)| is_of_run(*group, *since, run.as_encoded_bytes()));
    groups.iter().for_each(|(group, _)| kill(*group));
    groups.into_iter().map(|(group, _)| group).collect()
}

/// Whether any process of `group` still runs; zombies do not count.
pub(super) fn exists(group: Pid) -> bool {
    if test_kill_process_group(group).is_err() {
        return false;
    }
    let known = |pid: Pid| stat(pid).filter(|stat| stat.group == group.as_raw_pid());
    let mut members = all().into_iter().filter_map(known).peekable();
    // Without `/proc` no process can be seen.
    members.peek().is_none() || members.any(|stat| !stat.has_ended())
}

fn kill(group: Pid) {
    // The group may be gone already, which is fine.
    let _ = kill_process_group(group, Signal::KILL);
}

fn pid_of(child: &std::process::Child) -> io::Result<Pid> {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other(format!("process id {} is out of range", child.id())))
}

/// Whether `group` belongs to the run, and not to a process that got the same id later: its leader
/// started when the journal says, or, if the leader is gone, a member carries the run's mark.
/// Without `/proc` this is unknown, and the group is left alone.
fn is_of_run(group: Pid, since: u64, run: &[u8]) -> bool {
    if let Some(leader) = stat(group) {
        return leader.began == since;
    }
    let carries_mark = |pid: &Pid| {
        environment(*pid).is_some_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .filter_map(|variable| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))
                .any(|value| daemons::is_of_run(value, run).is_some())
        })
    };
    all()
        .iter()
        .filter(|pid| stat(**pid).is_some_and(|stat| stat.group == group.as_raw_pid()))
        .any(carries_mark)
}
