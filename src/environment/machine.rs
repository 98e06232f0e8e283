//! The facts about a machine.

use std::path::Path;

use crate::units::Bytes;

use super::{processor, read_line};

/// The facts about the machine that measures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// How many processors this process may use: affinity and container limits are respected.
    pub cores: usize,
    /// Physical memory, where the system says.
    pub memory: Option<Bytes>,
    /// Memory that is available now without swapping, if the system says.
    pub available_memory: Option<Bytes>,
    /// The operating system's name and version.
    pub os: String,
    /// The kernel's release.
    pub kernel: String,
    /// The hypervisor's name, where the machine is virtual.
    pub virtualised: Option<String>,
    /// The one-minute load average now, where the system says.
    pub load: Option<f64>,
}

impl Machine {
    /// Reads the facts as they are now. A fact that the system does not give is `unknown` or `None`:
    /// a report without it is better than no report.
    #[must_use]
    pub(crate) fn read() -> Machine {
        Machine::read_under(Path::new("/"))
    }

    /// Like [`Machine::read`], with the pseudo-files below another root.
    pub(crate) fn read_under(root: &Path) -> Machine {
        let text = |path: &str| fs_err::read_to_string(root.join(path)).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let cpuinfo = text("proc/cpuinfo");
        let meminfo = text("proc/meminfo");
        let uname = rustix::system::uname();
        Machine {
            cpu: processor::name(&cpuinfo).unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: kibibytes(&meminfo, "MemTotal"),
            available_memory: kibibytes(&meminfo, "MemAvailable"),
            os: os_name(&text("etc/os-release"))
                .unwrap_or_else(|| uname.sysname().to_string_lossy().into_owned()),
            kernel: uname.release().to_string_lossy().into_owned(),
            virtualised: processor::hypervisor(&cpuinfo, root),
            load: read_line(&root.join("proc/loadavg"))
                .and_then(|line| line.split(' ').next()?.parse().ok()),
        }
    }
}

/// A value of `/proc/meminfo`: `MemTotal:       24684092 kB`, where kB means kibibytes.
fn kibibytes(meminfo: &str, key: &str) -> Option<Bytes> {
    let value = meminfo.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name == key).then_some(value)
    })?;
    let number: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Bytes::from_bytes(number.checked_mul(1024)?))
}

/// `PRETTY_NAME` of os-release(5).
fn os_name(os_release: &str) -> Option<String> {
    let line = os_release.lines();
    let value = line
        .filter_map(|line| line.strip_prefix("PRETTY_NAME="))
        .next()?;
    let name = value.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_processor_and_a_kernel() {
        let machine = Machine::read();
        assert!(machine.cores >= 1);
        assert!(!machine.cpu.is_empty() && !machine.os.is_empty() && !machine.kernel.is_empty());
    }

    #[test]
    fn what_the_system_does_not_tell_is_unknown_and_no_number() {
        let nothing = tempfile::tempdir().unwrap();
        let machine = Machine::read_under(nothing.path());
        assert_eq!(machine.cpu, "unknown");
        assert_eq!(machine.memory, None);
        assert_eq!(machine.load, None);
    }

    #[test]
    fn memory_and_system_are_read_from_their_files() {
        let meminfo = "MemTotal:       24684092 kB\nMemAvailable:   23338672 kB\n";
        let total = Bytes::from_bytes(24_684_092 * 1024);
        assert_eq!(kibibytes(meminfo, "MemTotal"), Some(total));
        assert_eq!(kibibytes(meminfo, "SwapTotal"), None);
        let release = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(os_name(release).unwrap(), "Debian GNU/Linux 12 (bookworm)");
    }
}
