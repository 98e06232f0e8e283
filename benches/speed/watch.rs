//! What commands cost, including everything that they start: wall time, processor time, memory.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Outcome;

/// How often the memory of all processes is added up.
const EVERY: Duration = Duration::from_millis(50);

/// Linux counts processor time for user space in hundredths of a second on every architecture.
const TICKS: f64 = 100.0;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) wall: Duration,
    pub(super) processor: Duration,
    /// The most that all processes had together in memory at one time.
    pub(super) peak_bytes: u64,
}

impl Cost {
    /// The cost of commands that run one after the other.
    pub(super) fn sum(all: &[Cost]) -> Cost {
        Cost {
            wall: all.iter().map(|cost| cost.wall).sum(),
            processor: all.iter().map(|cost| cost.processor).sum(),
            peak_bytes: all.iter().map(|cost| cost.peak_bytes).max().unwrap_or(0),
        }
    }
}

/// Runs commands one after the other.
pub(super) fn measure(commands: &mut [Command]) -> Outcome<Cost> {
    let (began, before) = (Instant::now(), processor_time()?);
    let done = AtomicBool::new(false);
    let (peak_bytes, ended) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(memory_below(std::process::id()));
                std::thread::sleep(EVERY);
            }
            peak
        });
        let ended = commands.iter_mut().try_for_each(run);
        done.store(true, Ordering::Relaxed);
        (watcher.join().unwrap_or_default(), ended)
    });
    ended?;
    Ok(Cost {
        wall: began.elapsed(),
        processor: processor_time()? - before,
        peak_bytes,
    })
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command.stdout(std::process::Stdio::null()).status()?;
    // 100 means "rejected", which is not a failure here.
    match status.code() {
        Some(0 | 100) => Ok(()),
        _ => Err(format!("{command:?} ended with {status}").into()),
    }
}

/// The processor time of all children that have ended, and of theirs (proc(5): `cutime` and `cstime`).
fn processor_time() -> Outcome<Duration> {
    let fields = stat("self").ok_or("/proc/self/stat")?;
    let ticks: f64 = fields.get(13..15).ok_or("fields")?.iter().sum::<f64>();
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

/// The fields of `/proc/<pid>/stat` from the state on (which is left out), as numbers.
fn stat(pid: &str) -> Option<Vec<f64>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and parentheses; the state follows the last one.
    let rest = text.rsplit_once(')')?.1;
    let fields = rest.split_whitespace().map(|f| f.parse().unwrap_or(0.0));
    Some(fields.collect())
}

/// The resident memory of all descendants of `root` together.
fn memory_below(root: u32) -> u64 {
    let mut processes = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(pid) = name.parse::<u32>() else {
            continue;
        };
        // Parent and resident pages are the fourth and the 24th field of all.
        if let Some((parent, pages)) = stat(&name).and_then(|f| Some((*f.get(1)?, *f.get(21)?))) {
            processes.insert(pid, (parent as u32, pages as u64));
        }
    }
    let mut family = BTreeSet::from([root]);
    let mut total = 0;
    loop {
        let of_family = |pid: &u32, parent: u32, family: &BTreeSet<u32>| {
            family.contains(&parent) && !family.contains(pid)
        };
        let more: Vec<(u32, u64)> = processes
            .iter()
            .filter(|(pid, (parent, _))| of_family(pid, *parent, &family))
            .map(|(pid, (_, pages))| (*pid, *pages))
            .collect();
        if more.is_empty() {
            return total * 4096;
        }
        for (pid, pages) in more {
            family.insert(pid);
            total += pages;
        }
    }
}
