//! How much of the machine other programs use.
//!
//! The load average does not tell that of a moment: for minutes it remembers the build that this
//! program itself has just done.

use std::path::Path;
use std::time::Duration;

/// Thirty clock ticks of each processor.
const WATCH: Duration = Duration::from_millis(300);

/// How many processors' worth of work others want, seen while this program sleeps for a moment;
/// `None` where the system does not say. Call it while no child of this program works.
#[must_use]
pub fn occupied() -> Option<f64> {
    let read = || fs_err::read_to_string(Path::new("/proc/stat")).ok();
    let before = read()?;
    std::thread::sleep(WATCH);
    between(&before, &read()?)
}

/// Clock ticks since the machine started, of one processor or of all (proc_stat(5)).
struct Ticks {
    wanted: u64,
    all: u64,
}

fn between(before: &str, after: &str) -> Option<f64> {
    let processors = after.lines().filter(|line| is_processor(line)).count();
    let (before, after) = (ticks(before)?, ticks(after)?);
    let all = after.all.checked_sub(before.all)?;
    let wanted = after.wanted.checked_sub(before.wanted)?;
    (all > 0).then(|| wanted as f64 / all as f64 * processors as f64)
}

fn is_processor(line: &str) -> bool {
    let number = line.strip_prefix("cpu");
    number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Of all processors together: `cpu user nice system idle iowait irq softirq steal …`.
fn ticks(stat: &str) -> Option<Ticks> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields = line.split_ascii_whitespace().take(8);
    let fields: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    let [_, _, _, idle, iowait, ..] = fields[..] else {
        return None;
    };
    let all: u64 = fields.iter().sum();
    Some(Ticks {
        wanted: all - idle - iowait,
        all,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_told_in_processors() {
        let before = "cpu  100 0 100 500 100 0 0 0 7 0\ncpu0 1\ncpu1 1\nintr 5\n";
        let after = "cpu  130 0 105 520 105 0 0 0 9 0\ncpu0 1\ncpu1 1\nintr 6\n";
        // 35 of 60 ticks of two processors.
        assert_eq!(between(before, after), Some(35.0 / 60.0 * 2.0));
    }

    #[test]
    fn a_clock_that_stood_still_and_a_system_that_does_not_say_give_nothing() {
        let stat = "cpu  100 0 100 500 100 0 0 0 0 0\ncpu0 1\n";
        assert_eq!(between(stat, stat), None);
        assert_eq!(between("", ""), None);
    }
}
