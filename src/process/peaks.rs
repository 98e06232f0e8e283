//! The most that the processes of a group had, as `/proc` says.

use std::collections::BTreeSet;

use rustix::process::Pid;

use super::table::{all, stat};

/// The most that the processes of a group had until they were looked at, or at a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GroupPeaks {
    /// Of the process with the largest one: its address space, in bytes.
    pub(crate) address_space: u64,
    /// Resident memory of all, in bytes.
    pub(crate) resident: u64,
    /// Of the process with the most: one more than the highest number of the files that it opened.
    pub(crate) files: u64,
    /// Threads of all.
    pub(crate) tasks: u64,
}

impl GroupPeaks {
    /// What the group of the process `leader` had at most, or has now.
    pub(crate) fn of(leader: u32) -> GroupPeaks {
        let (mut peaks, inherited) = (GroupPeaks::default(), inherited());
        for pid in all() {
            let group = stat(pid).map(|stat| u32::try_from(stat.group));
            if group == Some(Ok(leader)) {
                peaks.add(pid, &inherited);
            }
        }
        peaks
    }

    fn add(&mut self, pid: Pid, inherited: &BTreeSet<u64>) {
        let folder = format!("/proc/{}", pid.as_raw_pid());
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_ascii_whitespace().next());
            number.and_then(|number| number.parse::<u64>().ok())
        };
        let bytes = |name| value(name).unwrap_or(0) * 1024;
        self.address_space = self.address_space.max(bytes("VmPeak:"));
        self.resident += bytes("VmHWM:");
        self.tasks += value("Threads:").unwrap_or(0);
        let own = numbers(&folder).into_iter();
        let highest = own.filter(|file| !inherited.contains(file)).max();
        self.files = self.files.max(highest.map_or(0, |highest| highest + 1));
    }

    /// The larger of each.
    pub(crate) fn most(self, other: GroupPeaks) -> GroupPeaks {
        GroupPeaks {
            address_space: self.address_space.max(other.address_space),
            resident: self.resident.max(other.resident),
            files: self.files.max(other.files),
            tasks: self.tasks.max(other.tasks),
        }
    }
}

/// The numbers of the files that a process has open.
fn numbers(process: &str) -> Vec<u64> {
    let files = std::fs::read_dir(format!("{process}/fd"));
    let files = files.into_iter().flatten().flatten();
    let numbers = files.filter_map(|file| file.file_name().to_str()?.parse().ok());
    numbers.collect()
}

/// The files, other than the standard streams, that every child inherits because the program that started perfcheck left
/// them open. Their numbers are often high, and no limit counts them.
fn inherited() -> BTreeSet<u64> {
    let is_handed_on = |file: &u64| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{file}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
        // `O_CLOEXEC`
        *file > 2 && flags.is_some_and(|flags| flags & 0o2_000_000 == 0)
    };
    let own = numbers("/proc/self").into_iter();
    own.filter(is_handed_on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_a_thread_and_files() {
        let own = stat(rustix::process::getpid()).unwrap().group;
        let peaks = GroupPeaks::of(u32::try_from(own).unwrap());
        assert!(
            peaks.address_space >= peaks.resident / 64 && peaks.resident > 0,
            "{peaks:?}"
        );
        assert!(peaks.files > 2 && peaks.tasks > 0, "{peaks:?}");
        assert_eq!(peaks.most(GroupPeaks::default()), peaks);
    }
}
