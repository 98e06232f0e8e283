//! Processor time that other tenants of the host took while this machine had work to do.

use std::path::{Path, PathBuf};

/// Watches stolen time from when it was made.
#[derive(Debug, Clone)]
pub struct StealWatch {
    stat: PathBuf,
    start: Option<Ticks>,
}

/// Clock ticks of all processors since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    /// Running something, or wanting to.
    wanted: u64,
    /// Wanting to, while another tenant ran.
    stolen: u64,
}

impl StealWatch {
    /// Begins to watch.
    #[must_use]
    pub fn start() -> StealWatch {
        StealWatch::start_reading(Path::new("/proc/stat"))
    }

    fn start_reading(stat: &Path) -> StealWatch {
        StealWatch {
            stat: stat.to_owned(),
            start: Ticks::read(stat),
        }
    }

    /// The share (0 to 1) of the processor time wanted since the start that was stolen. Idle time
    /// does not count: on a machine with many idle processors it would hide the theft.
    ///
    /// `None` where the system does not say, or nothing ran.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let (start, end) = (self.start?, Ticks::read(&self.stat)?);
        let wanted = end.wanted.checked_sub(start.wanted)?;
        let stolen = end.stolen.checked_sub(start.stolen)?;
        (wanted > 0).then(|| stolen as f64 / wanted as f64)
    }
}

impl Ticks {
    fn read(stat: &Path) -> Option<Ticks> {
        Ticks::parse(&fs_err::read_to_string(stat).ok()?)
    }

    /// The first line of `/proc/stat` (proc(5)): `cpu user nice system idle iowait irq softirq steal
    /// guest guest_nice`; the last two are part of the first two already.
    fn parse(stat: &str) -> Option<Ticks> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let fields: Option<Vec<u64>> = line.split_whitespace().map(|n| n.parse().ok()).collect();
        let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = fields?[..] else {
            return None;
        };
        Some(Ticks {
            wanted: user + nice + system + irq + softirq + steal,
            stolen: steal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_time_wanted_since_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let stat = folder.path().join("stat");
        fs_err::write(&stat, "cpu  100 0 100 5000 9 0 0 50 0 0\ncpu0 1 1 1 1\n").unwrap();
        let watch = StealWatch::start_reading(&stat);
        assert_eq!(watch.share(), None, "nothing ran");
        fs_err::write(&stat, "cpu  160 0 120 9000 9 0 0 70 0 0\n").unwrap();
        assert_eq!(watch.share(), Some(0.2));
    }

    #[test]
    fn a_system_that_does_not_say_gives_nothing() {
        let watch = StealWatch::start_reading(Path::new("/nonexistent/stat"));
        assert_eq!(watch.share(), None);
        assert_eq!(Ticks::parse("cpu  1 2 3 4\n"), None);
    }
}
