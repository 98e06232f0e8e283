//! Which processors are the fast ones on a machine with several kinds.

use std::path::Path;

use super::read_line;

/// Processors of one kind differ a little in their highest frequency: favoured cores boost higher.
/// Those of a slower kind are further below (an efficiency core at two thirds).
const SAME_KIND: f64 = 0.9;

/// Those of `processors` that are of the fastest kind; all of them, if there is one kind or nothing
/// tells them apart. `root` is where `sys` is mounted.
///
/// The kernel scheduler's own figures come first (`cpu_capacity`: Arm, and hybrid processors of
/// newer kernels), then Intel's two kinds by the performance counters that they have
/// (`/sys/devices/cpu_core/cpus`), then the highest frequencies.
pub(crate) fn performance_cores(processors: &[usize], root: &Path) -> Vec<usize> {
    let value = |cpu: usize, file: &str| -> Option<f64> {
        let path = format!("sys/devices/system/cpu/cpu{cpu}/{file}");
        read_line(&root.join(path))?.parse().ok()
    };
    let mut chosen = processors.to_vec();
    keep_the_highest(&mut chosen, |cpu| value(cpu, "cpu_capacity"));
    let core = read_line(&root.join("sys/devices/cpu_core/cpus"));
    if let Some(core) = core.as_deref().and_then(parse_list)
        && chosen.iter().any(|cpu| core.contains(cpu))
    {
        chosen.retain(|cpu| core.contains(cpu));
    }
    keep_the_highest(&mut chosen, |cpu| value(cpu, "cpufreq/cpuinfo_max_freq"));
    chosen
}

/// Keeps those with about the highest value, if each has a value.
fn keep_the_highest(chosen: &mut Vec<usize>, value: impl Fn(usize) -> Option<f64>) {
    let values: Option<Vec<f64>> = chosen.iter().map(|cpu| value(*cpu)).collect();
    let Some(values) = values else { return };
    let highest = values.iter().copied().fold(0.0, f64::max);
    let mut values = values.into_iter();
    chosen.retain(|_| {
        values
            .next()
            .is_some_and(|value| value >= SAME_KIND * highest)
    });
}

/// Parses a list as the kernel writes it, such as `0-3,8`.
fn parse_list(text: &str) -> Option<Vec<usize>> {
    let mut list = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        list.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up `/sys`.
    struct Sysfs(tempfile::TempDir);

    impl Sysfs {
        fn new() -> Sysfs {
            Sysfs(tempfile::tempdir().unwrap())
        }

        fn write(self, path: &str, text: &str) -> Sysfs {
            let path = self.0.path().join("sys/devices").join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
            self
        }

        fn each(self, file: &str, values: &[u32]) -> Sysfs {
            let numbered = values.iter().enumerate();
            numbered.fold(self, |sysfs, (cpu, value)| {
                sysfs.write(
                    &format!("system/cpu/cpu{cpu}/{file}"),
                    &format!("{value}\n"),
                )
            })
        }

        fn chosen(&self, processors: &[usize]) -> Vec<usize> {
            performance_cores(processors, self.0.path())
        }
    }

    #[test]
    fn of_intels_two_kinds_the_performance_cores_are_taken() {
        let sysfs = Sysfs::new()
            .write("cpu_core/cpus", "0-3\n")
            .write("cpu_atom/cpus", "4-7,9\n");
        assert_eq!(sysfs.chosen(&[2, 3, 4, 5, 9]), [2, 3]);
        assert_eq!(sysfs.chosen(&[4, 9]), [4, 9], "no other may be used");
    }

    #[test]
    fn the_capacity_tells_the_clusters_of_arm_apart_whatever_their_frequencies() {
        let sysfs = Sysfs::new()
            .each("cpu_capacity", &[446, 446, 1024, 1010])
            .each(
                "cpufreq/cpuinfo_max_freq",
                &[2_400_000, 2_400_000, 2_000_000, 1_990_000],
            );
        assert_eq!(sysfs.chosen(&[0, 1, 2, 3]), [2, 3]);
    }

    #[test]
    fn where_only_frequencies_are_known_they_tell_and_favoured_cores_are_of_one_kind() {
        let kilohertz = [5_800_000, 5_500_000, 4_300_000, 4_300_000];
        let sysfs = Sysfs::new().each("cpufreq/cpuinfo_max_freq", &kilohertz);
        assert_eq!(sysfs.chosen(&[0, 1, 2, 3]), [0, 1]);
    }

    #[test]
    fn processors_of_one_kind_and_those_of_which_nothing_is_known_are_all_taken() {
        assert_eq!(Sysfs::new().chosen(&[0, 1]), [0, 1]);
        let alike = Sysfs::new().each("cpu_capacity", &[1024, 1024]);
        assert_eq!(alike.chosen(&[0, 1]), [0, 1]);
        let in_part = Sysfs::new().each("cpu_capacity", &[1024]);
        assert_eq!(in_part.chosen(&[0, 1]), [0, 1]);
    }
}
