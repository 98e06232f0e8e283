//! Control groups: what a service and everything that it starts may use together. perfcheck makes groups of its own beside or
//! below the one in which it runs, and changes no other one.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the kernel shows control groups.
pub(crate) const ROOT: &str = "/sys/fs/cgroup";

/// The journal's name in the run's folder: it names groups from before they are made.
const JOURNAL: &str = "cgroups";

/// What the names of groups begin with.
const PREFIX: &str = "perfcheck-";

/// The period over which processor time is limited, in microseconds: the kernel's own default.
const PERIOD: f64 = 100_000.0;

/// How long a group whose processes are dying is waited for, and how often.
const PATIENCE: (Duration, u32) = (Duration::from_millis(10), 200);

/// What a control group limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controller {
    /// Memory in bytes, the page cache included.
    Memory,
    /// Processes and threads.
    Tasks,
    /// Processors, also parts of one.
    Processor,
}

impl Controller {
    pub(crate) const ALL: [Controller; 3] =
        [Controller::Memory, Controller::Tasks, Controller::Processor];

    /// Its name in version 2, and its hierarchy in version 1.
    fn name(self) -> &'static str {
        match self {
            Controller::Memory => "memory",
            Controller::Tasks => "pids",
            Controller::Processor => "cpu",
        }
    }

    /// The files that set a limit, each with its text. Those of swap may be absent.
    fn files(self, version: CgroupVersion, limit: f64) -> Vec<(&'static str, String)> {
        let whole = format!("{:.0}", limit.floor());
        let quota = format!("{:.0}", (limit * PERIOD).ceil().max(1000.0));
        match (self, version) {
            (Controller::Memory, CgroupVersion::Two) => {
                vec![("memory.max", whole), ("memory.swap.max", "0".to_owned())]
            }
            (Controller::Memory, CgroupVersion::One) => vec![
                ("memory.limit_in_bytes", whole.clone()),
                ("memory.memsw.limit_in_bytes", whole),
            ],
            (Controller::Tasks, _) => vec![("pids.max", whole)],
            (Controller::Processor, CgroupVersion::Two) => {
                vec![("cpu.max", format!("{quota} {PERIOD:.0}"))]
            }
            (Controller::Processor, CgroupVersion::One) => vec![
                ("cpu.cfs_period_us", format!("{PERIOD:.0}")),
                ("cpu.cfs_quota_us", quota),
            ],
        }
    }
}

/// The interface of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CgroupVersion {
    One,
    Two,
}

/// Where groups can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CgroupTree {
    pub(crate) version: CgroupVersion,
    parents: Vec<(Controller, PathBuf)>,
}

impl CgroupTree {
    /// Where groups with a limit of memory could be made. `root` is [`ROOT`], and `own` what `/proc/self/cgroup` says. Version 2
    /// is preferred. Whether it may be done, only [`CgroupTree::make`] tells.
    pub(crate) fn candidates(root: &Path, own: &str) -> Vec<CgroupTree> {
        let two = [root.to_owned(), root.join("unified")];
        let two = two.into_iter().filter_map(|root| second(&root, own));
        two.chain(first(root, own)).collect()
    }

    /// Whether it limits this.
    pub(crate) fn limits(&self, controller: Controller) -> bool {
        self.parents.iter().any(|(one, _)| *one == controller)
    }

    /// Makes a group, noted in the journal of the run in `run` before it is made.
    ///
    /// # Errors
    /// This process may not do that here.
    pub(crate) fn make(
        &self,
        run: &Path,
        number: u32,
        limits: &[(Controller, f64)],
    ) -> io::Result<Cgroup> {
        let run_name = run.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{PREFIX}{}-{number}", run_name.trim_start_matches(PREFIX));
        let mut parents: Vec<&PathBuf> = self.parents.iter().map(|(_, parent)| parent).collect();
        parents.dedup();
        let mut group = Cgroup {
            version: self.version,
            folders: Vec::new(),
        };
        for parent in parents {
            let folder = parent.join(&name);
            note(run, &folder)?;
            fs_err::create_dir(&folder)?;
            group.folders.push(folder);
        }
        for (controller, limit) in limits {
            let parent = self.parents.iter().find(|(one, _)| one == controller);
            let (_, parent) = parent.ok_or(io::ErrorKind::Unsupported)?;
            for (at, (file, text)) in controller.files(self.version, *limit).iter().enumerate() {
                let written = std::fs::write(parent.join(&name).join(file), text);
                let is_optional = *controller == Controller::Memory && at > 0;
                if !is_optional {
                    written?;
                }
            }
        }
        Ok(group)
    }
}

fn note(run: &Path, folder: &Path) -> io::Result<()> {
    let mut journal = fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .open(run.join(JOURNAL))?;
    writeln!(journal, "{}", folder.display())
}

/// The path after the second colon of the line that `is_meant`.
fn own_path(own: &str, is_meant: impl Fn(&str) -> bool) -> Option<&str> {
    let mut lines = own.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        is_meant(controllers).then_some(path.trim_start_matches('/'))
    });
    lines.next()
}

/// Version 2: the nearest group above this process whose children have a limit of memory.
fn second(root: &Path, own: &str) -> Option<CgroupTree> {
    let own = own_path(own, str::is_empty)?;
    let own = root.join(own);
    let above = own.ancestors().take_while(|one| one.starts_with(root));
    for parent in above {
        let enabled = std::fs::read_to_string(parent.join("cgroup.subtree_control"));
        let enabled = enabled.unwrap_or_default();
        let has = |one: &Controller| {
            enabled
                .split_ascii_whitespace()
                .any(|name| name == one.name())
        };
        if has(&Controller::Memory) {
            let of = |one| (one, parent.to_owned());
            return Some(CgroupTree {
                version: CgroupVersion::Two,
                parents: Controller::ALL.into_iter().filter(has).map(of).collect(),
            });
        }
    }
    None
}

/// Version 1: the group of this process in each hierarchy; within a container the hierarchy's root.
fn first(root: &Path, own: &str) -> Option<CgroupTree> {
    let parent = |one: Controller| {
        let hierarchy = root.join(one.name());
        let is_meant = |names: &str| names.split(',').any(|name| name == one.name());
        let own = hierarchy.join(own_path(own, is_meant)?);
        let folder = [own, hierarchy]
            .into_iter()
            .find(|folder| folder.is_dir())?;
        Some((one, folder))
    };
    let parents: Vec<_> = Controller::ALL.into_iter().filter_map(parent).collect();
    let tree = CgroupTree {
        version: CgroupVersion::One,
        parents,
    };
    tree.limits(Controller::Memory).then_some(tree)
}

/// A group of our own. Dropping it removes it; its processes have to be dead or dying.
#[derive(Debug)]
pub(crate) struct Cgroup {
    version: CgroupVersion,
    folders: Vec<PathBuf>,
}

impl Cgroup {
    /// Its folders, one in each hierarchy.
    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The most memory that its processes had together, in bytes; `None` where the kernel does not say.
    pub(crate) fn peak(&self) -> Option<u64> {
        let file = match self.version {
            CgroupVersion::Two => "memory.peak",
            CgroupVersion::One => "memory.max_usage_in_bytes",
        };
        let mut found = self.folders.iter().filter_map(|folder| {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            text.trim().parse().ok()
        });
        found.next()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        self.folders.iter().for_each(|folder| remove(folder));
    }
}

/// Removes a group, once its processes are gone.
fn remove(folder: &Path) {
    let (pause, times) = PATIENCE;
    for _ in 0..times {
        match std::fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(pause),
            // Removed, or never made.
            _ => return,
        }
    }
}

/// Removes the groups of a dead run, whose processes were killed. Only empty folders of such a name can be removed.
pub(super) fn remove_those_of_dead_run(run: &Path) {
    let journal = std::fs::read_to_string(run.join(JOURNAL)).unwrap_or_default();
    for folder in journal.lines().map(Path::new) {
        let name = folder.file_name().unwrap_or_default();
        if name.to_string_lossy().starts_with(PREFIX) {
            remove(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with such files, each with its text.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn run() -> tempfile::TempDir {
        let builder = tempfile::Builder::new().prefix("perfcheck-").tempdir();
        builder.unwrap()
    }

    /// The kernel removes the files of a group with it.
    fn empty(group: &Cgroup) {
        for folder in group.folders() {
            for file in std::fs::read_dir(folder).unwrap().flatten() {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    }

    #[test]
    fn a_group_of_version_2_lies_where_the_controllers_are_and_is_removed() {
        let root = tree(&[
            ("cgroup.subtree_control", "cpu memory pids"),
            ("user/app/cgroup.subtree_control", "memory pids\n"),
            ("user/app/shell/cgroup.subtree_control", ""),
        ]);
        let trees = CgroupTree::candidates(root.path(), "0::/user/app/shell\n");
        let [tree] = &trees[..] else {
            panic!("{trees:?}");
        };
        assert_eq!(tree.version, CgroupVersion::Two);
        assert!(tree.limits(Controller::Tasks) && !tree.limits(Controller::Processor));
        let run = run();
        let limits = [(Controller::Memory, 1e6), (Controller::Tasks, 12.9)];
        let group = tree.make(run.path(), 7, &limits).unwrap();
        let [folder] = group.folders() else {
            panic!("{group:?}");
        };
        let folder = folder.clone();
        assert!(
            folder.starts_with(root.path().join("user/app")),
            "{folder:?}"
        );
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(text("memory.max"), "1000000");
        assert_eq!(text("memory.swap.max"), "0");
        assert_eq!(text("pids.max"), "12");
        std::fs::write(folder.join("memory.peak"), "4096\n").unwrap();
        assert_eq!(group.peak(), Some(4096));
        empty(&group);
        drop(group);
        assert!(!folder.exists());
        assert!(
            tree.make(run.path(), 8, &[(Controller::Processor, 0.5)])
                .is_err()
        );
    }

    #[test]
    fn a_group_of_version_1_has_a_folder_in_each_hierarchy() {
        let root = tree(&[
            ("memory/inner/tasks", ""),
            ("cpu/tasks", ""),
            ("pids/tasks", ""),
        ]);
        let own = "9:memory:/inner\n4:cpu,cpuacct:/outside\n2:pids:/\n0::/\n";
        let trees = CgroupTree::candidates(root.path(), own);
        let [tree] = &trees[..] else {
            panic!("{trees:?}");
        };
        assert_eq!(tree.version, CgroupVersion::One);
        let limits = [(Controller::Memory, 5e6), (Controller::Processor, 0.25)];
        let group = tree.make(run().path(), 1, &limits).unwrap();
        assert_eq!(group.folders().len(), 3);
        let text = |at: usize, file: &str| {
            std::fs::read_to_string(group.folders()[at].join(file)).unwrap()
        };
        assert!(group.folders()[0].starts_with(root.path().join("memory/inner")));
        assert_eq!(text(0, "memory.limit_in_bytes"), "5000000");
        assert_eq!(text(2, "cpu.cfs_quota_us"), "25000");
        assert_eq!(text(2, "cpu.cfs_period_us"), "100000");
        empty(&group);
    }

    #[test]
    fn without_a_limit_of_memory_there_is_no_tree() {
        let root = tree(&[("cgroup.subtree_control", "cpu"), ("cpu/tasks", "")]);
        assert_eq!(CgroupTree::candidates(root.path(), "0::/\n4:cpu:/\n"), []);
    }

    #[test]
    fn what_a_dead_run_noted_is_removed_and_nothing_else() {
        let (root, run) = (tree(&[("other/a", "")]), run());
        let made = root.path().join("perfcheck-abc-1");
        std::fs::create_dir(&made).unwrap();
        let missing = root.path().join("perfcheck-abc-2");
        for folder in [&made, &missing, &root.path().join("other")] {
            note(run.path(), folder).unwrap();
        }
        remove_those_of_dead_run(run.path());
        assert!(!made.exists() && root.path().join("other").exists());
    }
}
