//! Which processor is the best to measure on.

use std::path::Path;
use std::time::Duration;

use crate::environment::performance_cores;
use crate::process::allowed_processors;

/// How long the processors are watched to find the quietest.
const WATCH: Duration = Duration::from_millis(200);

/// The allowed processor that is least busy now, of those of the fastest kind; `None` where only one is
/// allowed.
pub(super) fn quietest() -> Option<usize> {
    let allowed = allowed_processors();
    if allowed.len() < 2 {
        return None;
    }
    let fast = performance_cores(&allowed, Path::new("/"));
    let before = busy();
    std::thread::sleep(WATCH);
    let after = busy();
    fast.into_iter().min_by_key(|cpu| {
        let at = |times: &[(usize, u64)]| {
            let found = times.iter().find(|(number, _)| number == cpu);
            found.map_or(0, |(_, busy)| *busy)
        };
        // Of equals the last: interrupts and the system's own work prefer the first.
        (at(&after).saturating_sub(at(&before)), usize::MAX - cpu)
    })
}

/// Ticks that each processor was busy since the start: user, nice, system, interrupts and what other
/// tenants stole; proc_stat(5).
fn busy() -> Vec<(usize, u64)> {
    let stat = fs_err::read_to_string("/proc/stat").unwrap_or_default();
    stat.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<(usize, u64)> {
    let mut words = line.split_ascii_whitespace();
    let cpu = words.next()?.strip_prefix("cpu")?.parse().ok()?;
    let ticks: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
    let all: u64 = ticks.iter().take(8).sum();
    // Idle, and waiting for a disk.
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Some((cpu, all - idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processors_busy_time_leaves_out_idling_and_counts_theft() {
        assert_eq!(
            parse("cpu1 1 2 3 400 50 6 7 8 9 10"),
            Some((1, 1 + 2 + 3 + 6 + 7 + 8))
        );
        assert_eq!(parse("cpu 1 2 3 400 50 6 7 8 9 10"), None);
        assert_eq!(parse("intr 1 2 3"), None);
    }
}
