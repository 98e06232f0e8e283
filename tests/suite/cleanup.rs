//! Runs that end before their time leave nothing behind: no folder, no process.
//!
//! The run is held in the middle by a build script that never ends, so none of this needs Criterion
//! or a clock.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use snapbox::cmd::cargo_bin;

use crate::support::Workspace;

const MANIFEST: &str = r#"[package]
name = "endless"
version = "0.1.0"
edition = "2021"

[[bench]]
name = "nothing"
harness = false
"#;

/// Says that it runs, with the variables of git that it sees, and stays.
const BUILD_SCRIPT: &str = r#"
fn main() {
    let signs = std::env::var("TEST_SIGNS").expect("the folder for signs");
    let git: Vec<_> = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name == "GIT_DIR" || name == "GIT_INDEX_FILE")
        .collect();
    let sign = format!("{signs}/{}", std::process::id());
    std::fs::write(format!("{sign}.new"), format!("{git:?}")).expect("a sign");
    std::fs::rename(format!("{sign}.new"), format!("{sign}.sign")).expect("a sign");
    std::thread::sleep(std::time::Duration::from_secs(3600));
}
"#;

/// A workspace whose build never ends.
fn endless() -> Workspace {
    let workspace = Workspace::new();
    workspace
        .write("Cargo.toml", MANIFEST)
        .write("build.rs", BUILD_SCRIPT)
        .write("src/lib.rs", "")
        .write("benches/nothing.rs", "fn main() {}\n")
        .write(".gitignore", "/target\n")
        .commit("one")
        .write("src/lib.rs", "// changed\n")
        .commit("two");
    std::fs::create_dir(workspace.beside("signs")).unwrap();
    workspace
}

/// A run in the background.
struct Run {
    process: Child,
}

impl Run {
    fn start(workspace: &Workspace) -> Run {
        Run::start_with(workspace, &[])
    }

    fn start_with(workspace: &Workspace, variables: &[(&str, OsString)]) -> Run {
        let mut command = Command::new(cargo_bin!("cargo-perfcheck"));
        let process = cargo_perfcheck::process::clean_env(&mut command)
            .args(["perfcheck", "HEAD~1..HEAD", "--no-cache"])
            .current_dir(workspace.root())
            .env("XDG_CACHE_HOME", workspace.beside("cache"))
            .env("TEST_SIGNS", workspace.beside("signs"))
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Run { process }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, signal).unwrap();
    }

    fn end(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// The guardian: the child that is this program, too.
    fn guardian(&self) -> Pid {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let children = tasks
            .map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).unwrap())
            .collect::<Vec<_>>()
            .join(" ");
        let guardian = children.split_whitespace().find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.ends_with(b"\0__guardian\0")
        });
        Pid::from_raw(guardian.expect("a guardian").parse().unwrap()).unwrap()
    }
}

impl Drop for Run {
    /// A failed test must not leave processes or folders behind either.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits, however slow the machine is, and gives up only when nothing can come any more.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < Duration::from_secs(600), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process ids of the build scripts that have said that they run, with what they said.
fn signs(workspace: &Workspace) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(workspace.beside("signs")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "sign")
        })
        .map(|path| {
            let pid = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (pid, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The build scripts, once this many run.
fn build_scripts(workspace: &Workspace, number: usize) -> Vec<String> {
    eventually("the build scripts run", || {
        let signs = signs(workspace);
        (signs.len() == number).then(|| signs.into_iter().map(|(pid, _)| pid).collect())
    })
}

fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

/// The folders of runs in the cache.
fn folders(workspace: &Workspace) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(workspace.beside("cache/cargo-perfcheck")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

fn none_left() -> Vec<PathBuf> {
    Vec::new()
}

/// Shells let their background jobs ignore some signals, and so would our children.
fn is_ignored_here(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = u64::from_str_radix(mask.unwrap().trim(), 16).unwrap();
    mask & (1 << (signal.as_raw() - 1)) != 0
}

#[test]
fn signals_end_the_run_its_build_and_its_folder() {
    for (signal, status) in [
        (Signal::INT, 130),
        (Signal::TERM, 143),
        // A terminal that is closed.
        (Signal::HUP, 129),
    ] {
        if is_ignored_here(signal) {
            continue;
        }
        let workspace = endless();
        let run = Run::start(&workspace);
        let scripts = build_scripts(&workspace, 1);
        assert_eq!(folders(&workspace).len(), 1);
        run.signal(signal);
        // As timeout(1) does: to the program, and to its group.
        std::thread::sleep(Duration::from_millis(20));
        let _ = kill_process(Pid::from_child(&run.process), signal);
        assert_eq!(run.end().code(), Some(status), "{signal:?}");
        assert_eq!(folders(&workspace), none_left(), "{signal:?}");
        eventually("the build script ends", || {
            (!is_alive(&scripts[0])).then_some(())
        });
    }
}

/// A test disk needs user name spaces; elsewhere this test checks nothing.
#[test]
fn a_disk_that_is_full_while_building_is_named_with_what_helps() {
    let workspace = crate::faults::workspace("bench\ta\n", "bench\tb\n");
    let disk = workspace.beside("disk");
    std::fs::create_dir(&disk).unwrap();
    let on_a_small_disk = |words: &[&std::ffi::OsStr]| {
        let mount = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"";
        let mut command = Command::new("unshare");
        cargo_perfcheck::process::clean_env(&mut command)
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", mount])
            .arg(&disk)
            .args(words)
            .current_dir(workspace.root())
            .env("XDG_CACHE_HOME", &disk)
            .output()
    };
    if !on_a_small_disk(&["true".as_ref()]).is_ok_and(|output| output.status.success()) {
        return;
    }
    let program = cargo_bin!("cargo-perfcheck");
    let line = ["perfcheck", "HEAD~1..HEAD", "--offline"].map(std::ffi::OsStr::new);
    let output = on_a_small_disk(&[&[program.as_os_str()], &line[..]].concat()).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    assert!(stderr.contains("no space left in"), "{stderr}");
    assert!(stderr.contains("\nhint: "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn after_kill_9_the_guardian_cleans_up() {
    let workspace = endless();
    let run = Run::start(&workspace);
    let scripts = build_scripts(&workspace, 1);
    run.signal(Signal::KILL);
    assert_eq!(run.end().signal(), Some(9));
    eventually("the build script ends", || {
        (!is_alive(&scripts[0])).then_some(())
    });
    eventually("the folder goes", || {
        folders(&workspace).is_empty().then_some(())
    });
}

/// Whenever it comes: between making the folder and telling the guardian, or a child and noting it.
#[test]
fn killed_at_any_moment_of_its_start_a_run_leaves_nothing() {
    let workspace = endless();
    for step in 0..120_u32 {
        let run = Run::start(&workspace);
        std::thread::sleep(Duration::from_micros(250) * step);
        run.signal(Signal::KILL);
        run.end();
        eventually("the folder is gone", || {
            (folders(&workspace) == none_left()).then_some(())
        });
        for (pid, _) in signs(&workspace) {
            eventually("the build has ended", || (!is_alive(&pid)).then_some(()));
        }
    }
}

#[test]
fn after_kill_9_no_daemon_of_a_benchmark_is_left() {
    let script = |ns| format!("do\tdaemon\nns\t{ns}\nbench\thangs\thang\n");
    let workspace = crate::faults::workspace(&script(1000), &script(2000));
    let file = workspace.beside("daemons");
    let run = Run::start_with(&workspace, &[("TEST_DAEMONS", file.clone().into())]);
    let daemon = eventually("a daemon runs", || {
        let daemons = std::fs::read_to_string(&file).ok()?;
        let mut alive = daemons.lines().filter(|daemon| is_alive(daemon));
        alive.next().map(str::to_owned)
    });
    run.signal(Signal::KILL);
    assert_eq!(run.end().signal(), Some(9));
    eventually("the daemon ends", || (!is_alive(&daemon)).then_some(()));
    eventually("the folder goes", || {
        folders(&workspace).is_empty().then_some(())
    });
    let daemons = std::fs::read_to_string(&file).unwrap();
    assert!(!daemons.lines().any(is_alive), "{daemons}");
}

#[test]
fn what_even_the_guardian_could_not_clean_the_next_run_does() {
    let workspace = endless();
    let run = Run::start(&workspace);
    let scripts = build_scripts(&workspace, 1);
    kill_process(run.guardian(), Signal::KILL).unwrap();
    run.signal(Signal::KILL);
    run.end();
    assert_eq!(folders(&workspace).len(), 1, "nobody was there to clean");

    // This run fails, but it cleans up first.
    workspace.perfcheck("no-such-revision").assert().code(101);
    assert_eq!(folders(&workspace), none_left());
    eventually("the build script ends", || {
        (!is_alive(&scripts[0])).then_some(())
    });
}

#[test]
fn two_runs_in_one_repository_do_not_disturb_each_other() {
    let workspace = endless();
    let one = Run::start(&workspace);
    let first = build_scripts(&workspace, 1);
    let other = Run::start(&workspace);
    let both = build_scripts(&workspace, 2);
    assert_eq!(folders(&workspace).len(), 2);

    other.signal(Signal::TERM);
    other.end();
    assert_eq!(
        folders(&workspace).len(),
        1,
        "the one that is still running"
    );
    for script in &both {
        if *script == first[0] {
            assert!(is_alive(script), "the other run was ended, too");
        } else {
            eventually("its build script ends", || {
                (!is_alive(script)).then_some(())
            });
        }
    }
    one.signal(Signal::TERM);
    one.end();
    assert_eq!(folders(&workspace), none_left());
}

#[test]
fn within_a_hook_gits_variables_reach_no_child_and_mean_no_other_repository() {
    let workspace = endless();
    let stranger = Workspace::new();
    stranger.write("file", "").commit("a stranger's");
    let index = stranger.root().join(".git/index");
    let before = std::fs::read(&index).unwrap();
    let variables = [
        ("GIT_DIR", stranger.root().join(".git").into_os_string()),
        ("GIT_INDEX_FILE", index.clone().into_os_string()),
        ("GIT_WORK_TREE", stranger.root().into_os_string()),
    ];
    let run = Run::start_with(&workspace, &variables);
    build_scripts(&workspace, 1);
    assert_eq!(signs(&workspace)[0].1, "[]", "the build script saw them");
    run.signal(Signal::TERM);
    run.end();
    assert_eq!(std::fs::read(&index).unwrap(), before);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let workspace = endless();
    for line in ["config", "doctor", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(cargo_bin!("cargo-perfcheck"));
        let output = cargo_perfcheck::process::clean_env(&mut command)
            .args(["perfcheck", line])
            .current_dir(workspace.root())
            .env("XDG_CACHE_HOME", workspace.beside("cache"))
            .stdin(Stdio::null())
            .stdout(writer)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {stderr}");
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_ends_the_run_with_a_hint() {
    let workspace = endless();
    workspace.write("in-the-way", "");
    let line = "HEAD~1..HEAD --target-dir in-the-way";
    let output = workspace.perfcheck(line).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    assert!(stderr.contains("in-the-way"), "{stderr}");
    assert!(
        stderr.contains("hint: ") && stderr.contains("--target-dir"),
        "{stderr}"
    );
    assert!(Path::new(&workspace.root().join("in-the-way")).is_file());
}
