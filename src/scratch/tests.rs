use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::*;
use crate::process::{Child, ProcessRole, mark as mark_of};

const KILLED: Option<i32> = Some(9);

fn parent() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn scratch(parent: &tempfile::TempDir) -> Scratch {
    Scratch::create(parent.path(), None).expect("a scratch folder")
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Waits, however long the machine takes, until the process has ended (a zombie has).
fn assert_ends(pid: &str) {
    let began = Instant::now();
    while is_alive(pid) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "process {pid} is still there"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    line.trim().to_owned()
}

#[test]
fn the_folder_is_private_and_gone_when_the_run_ends() {
    let parent = parent();
    let scratch = scratch(&parent);
    let path = scratch.path().to_owned();
    let mode = std::fs::metadata(&path).expect("it is there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
    std::fs::create_dir(path.join("deep")).expect("a folder");
    std::fs::write(path.join("deep/file"), "text").expect("a file");
    scratch.close().expect("removed");
    assert!(!path.exists());
}

#[test]
fn all_folders_have_paths_of_the_same_length() {
    let parent = parent();
    let (one, two) = (scratch(&parent), scratch(&parent));
    assert_ne!(one.path(), two.path());
    assert_eq!(
        one.path().as_os_str().len(),
        two.path().as_os_str().len(),
        "path length moves the stack of benchmarks"
    );
}

#[test]
fn folders_without_write_permission_are_removed_too() {
    let parent = parent();
    let scratch = scratch(&parent);
    let locked = scratch.path().join("locked/inner");
    std::fs::create_dir_all(&locked).expect("folders");
    std::fs::write(locked.join("file"), "").expect("a file");
    for folder in [locked.as_path(), locked.parent().expect("one above")] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o500)).expect("chmod");
    }
    let path = scratch.path().to_owned();
    scratch.close().expect("removed");
    assert!(!path.exists());
}

#[test]
fn removing_does_not_follow_symbolic_links() {
    let parent = parent();
    let outside = parent.path().join("precious");
    std::fs::create_dir(&outside).expect("a folder");
    std::fs::write(outside.join("file"), "text").expect("a file");
    let scratch = scratch(&parent);
    std::os::unix::fs::symlink(&outside, scratch.path().join("link")).expect("a link");
    scratch.close().expect("removed");
    assert!(outside.join("file").exists());
}

#[test]
fn a_dropped_child_takes_its_grandchildren_along() {
    let parent = parent();
    let scratch = scratch(&parent);
    let mut child = scratch
        .spawn(shell("sleep 1000 & echo $!; wait").stdout(Stdio::piped()))
        .expect("a shell");
    let grandchild = first_line(&mut child);
    assert!(is_alive(&grandchild));
    drop(child);
    assert_ends(&grandchild);
}

#[test]
fn a_child_that_is_stopped_ends_with_its_owner_and_goes_on_when_told() {
    let parent = parent();
    let scratch = scratch(&parent);
    let script = "sleep 1000 & echo $!; read line; echo $line; wait";
    let mut command = shell(script);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = scratch.spawn(&mut command).expect("a shell");
    let grandchild = first_line(&mut child);
    child.pause();
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, b"awake\n").expect("room in the pipe");
    assert_eq!(child.try_wait().expect("a stop is no end"), None);
    child.resume();
    assert_eq!(first_line(&mut child), "awake");
    child.pause();
    drop(child);
    assert_ends(&grandchild);
}

#[test]
fn what_a_finished_child_left_running_is_ended() {
    let parent = parent();
    let scratch = scratch(&parent);
    let mut child = scratch
        .spawn(shell("sleep 1000 & echo $!").stdout(Stdio::piped()))
        .expect("a shell");
    let grandchild = first_line(&mut child);
    assert!(child.wait().expect("its status").success());
    assert_ends(&grandchild);
    assert!(child.wait().expect("its status, again").success());
}

#[test]
fn output_is_whole_and_a_grandchild_with_the_pipe_does_not_hold_it_up() {
    let parent = parent();
    let scratch = scratch(&parent);
    let child = scratch
        .spawn(
            shell("sleep 1000 & head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 3")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        )
        .expect("a shell");
    let output = child.wait_with_output().expect("its output");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (300_000, 300_000)
    );
}

#[test]
fn a_killed_child_says_so_and_a_running_one_is_left_alone() {
    let parent = parent();
    let scratch = scratch(&parent);
    let mut child = scratch.spawn(&mut shell("sleep 1000")).expect("a shell");
    assert_eq!(child.try_wait().expect("no trouble"), None);
    child.kill();
    assert_eq!(child.wait().expect("its status").signal(), KILLED);
}

#[test]
fn the_end_of_the_run_ends_children_whose_owner_still_waits() {
    let parent = parent();
    let scratch = scratch(&parent);
    let mut child = scratch
        .spawn(shell("sleep 1000").stdout(Stdio::piped()))
        .expect("a shell");
    drop(scratch);
    let mut rest = Vec::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_end(&mut rest).expect("the pipe's end");
    assert_eq!(child.wait().expect("its status").signal(), KILLED);
}

#[test]
fn a_live_run_is_left_alone_and_a_dead_one_is_cleaned() {
    let parent = parent();
    let live = scratch(&parent);
    let dead = parent.path().join("run-dead");
    let half_made = parent.path().join("run-half");
    for folder in [&dead, &half_made] {
        std::fs::create_dir_all(folder.join("base/src")).expect("folders");
        std::fs::write(folder.join("base/src/lib.rs"), "").expect("a file");
    }
    std::fs::write(dead.join("lock"), "").expect("a lock that nobody holds");
    std::fs::write(parent.path().join("notes.txt"), "").expect("a file that is not ours");

    let next = scratch(&parent);
    assert!(live.path().exists() && next.path().exists());
    assert!(!dead.exists() && !half_made.exists());
    assert!(parent.path().join("notes.txt").exists());
    assert_eq!(next.notes().len(), 2, "{:?}", next.notes());
    assert_eq!(live.notes(), [] as [&str; 0]);
}

#[test]
fn a_kept_folder_outlives_its_run_and_the_next() {
    let parent = parent();
    let kept = scratch(&parent).keep().expect("kept");
    drop(scratch(&parent));
    guardian::run(message(&kept).as_slice());
    assert!(kept.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_a_way_out() {
    let parent = parent();
    let file = parent.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let error = Scratch::create(&file.join("cache"), None).expect_err("a file is no folder");
    assert!(error.to_string().contains("file/cache"), "{error}");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("--target-dir"))
    );
}

#[test]
fn a_guardian_that_cannot_be_started_leaves_nothing() {
    let parent = parent();
    let missing = parent.path().join("no-such-program");
    let error = Scratch::create(parent.path(), Some(&missing)).expect_err("no guardian");
    assert!(matches!(error, ScratchError::Guardian { .. }), "{error}");
    assert_eq!(runs_in(parent.path()), [] as [PathBuf; 0]);
}

fn runs_in(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect()
}

/// What a run that was killed leaves: its folder, with a journal that names a process group.
fn dead_run(
    parent: &tempfile::TempDir,
    since: impl Fn(&str) -> String,
) -> (PathBuf, std::process::Child) {
    let folder = parent.path().join("run-dead");
    std::fs::create_dir(&folder).expect("a folder");
    let orphan = Command::new("sleep")
        .arg("1000")
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sleep");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", orphan.id())).expect("stat");
    let began = stat.split(' ').nth(21).expect("field 22");
    let line = format!("+ {} {}\n", orphan.id(), since(began));
    std::fs::write(folder.join("groups"), line).expect("a journal");
    (folder, orphan)
}

fn message(folder: &Path) -> Vec<u8> {
    format!("folder {}\0", folder.display()).into_bytes()
}

#[test]
fn the_guardian_of_a_dead_run_kills_its_groups_and_removes_its_folder() {
    let parent = parent();
    let (folder, mut orphan) = dead_run(&parent, str::to_owned);
    // The run may have died in a turn of the other side.
    let group = i32::try_from(orphan.id()).ok().and_then(Pid::from_raw);
    let stopped = kill_process_group(group.expect("a number"), Signal::STOP);
    stopped.expect("it is there");
    // As the orphan's new parent would: its killer waits until it is gone.
    let reaper = std::thread::spawn(move || orphan.wait().expect("its status"));
    guardian::run(message(&folder).as_slice());
    assert!(!folder.exists());
    assert_eq!(reaper.join().expect("no panic").signal(), KILLED);
}

#[test]
fn the_guardian_does_not_kill_a_stranger_with_a_reused_number() {
    let parent = parent();
    let (folder, mut stranger) = dead_run(&parent, |began| format!("1{began}"));
    guardian::run(message(&folder).as_slice());
    assert!(!folder.exists());
    assert_eq!(stranger.try_wait().expect("no trouble"), None);
    stranger.kill().expect("killed");
    stranger.wait().expect("its status");
}

#[test]
fn the_guardian_finds_grandchildren_whose_leader_is_gone() {
    let parent = parent();
    let scratch = scratch(&parent);
    let folder = scratch.path().to_owned();
    let mark = mark_of(folder.file_name().expect("a name"), ProcessRole::Tool);
    let mut leader = shell("sleep 1000 & echo $! $$")
        .process_group(0)
        .env("CARGO_PERFCHECK_RUN", mark)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    BufReader::new(leader.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("a line");
    leader.wait().expect("its status");
    let (grandchild, group) = line.trim().split_once(' ').expect("two numbers");
    std::fs::write(folder.join("groups"), format!("+ {group} 1\n")).expect("a journal");
    guardian::run(message(&folder).as_slice());
    assert_ends(grandchild);
}

#[test]
fn the_guardian_of_a_run_that_cleaned_up_does_nothing() {
    let parent = parent();
    let (folder, mut orphan) = dead_run(&parent, str::to_owned);
    guardian::run([message(&folder), b"done\0".to_vec()].concat().as_slice());
    assert!(folder.exists());
    assert_eq!(orphan.try_wait().expect("no trouble"), None);
    orphan.kill().expect("killed");
    orphan.wait().expect("its status");
}

#[test]
fn the_guardian_removes_nothing_that_is_not_a_folder_of_a_run() {
    let parent = parent();
    let precious = parent.path().join("home");
    std::fs::create_dir(&precious).expect("a folder");
    guardian::run(message(&precious).as_slice());
    assert!(precious.exists());
}

/// Starts a daemon as daemons do (a session of its own, its parent gone) and says its number.
const DAEMONISING: &str = "setsid sh -c 'sleep 1000 >/dev/null & echo $!'";

fn daemonise(start: impl FnOnce(&mut Command) -> std::io::Result<Child>) -> (Child, String) {
    let script = format!("{DAEMONISING}; read wait");
    let mut command = shell(&script);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = start(&mut command).expect("a shell");
    let daemon = first_line(&mut child);
    assert!(is_alive(&daemon));
    (child, daemon)
}

#[test]
fn a_daemon_of_a_benchmark_ends_with_it_and_leaves_no_zombie() {
    let parent = parent();
    let scratch = scratch(&parent);
    let (mut child, daemon) = daemonise(|command| scratch.spawn_benchmark(command));
    let (other, others_daemon) = daemonise(|command| scratch.spawn_benchmark(command));
    assert!(child.wait().is_ok());
    assert!(!is_alive(&daemon), "the daemon outlived its benchmark");
    let entry = format!("/proc/{daemon}");
    assert!(!Path::new(&entry).exists(), "nobody reaped the daemon");
    assert!(is_alive(&others_daemon), "that of a running benchmark");
    drop(other);
    assert!(!is_alive(&others_daemon));
}

#[test]
fn daemons_of_daemons_end_with_the_run() {
    let parent = parent();
    let scratch = scratch(&parent);
    let nested = "setsid sh -c 'setsid sh -c \"sleep 1000 & echo \\$!; sleep 1000\" & sleep 1000' & read wait";
    let mut command = shell(nested);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = scratch.spawn_benchmark(&mut command).expect("a shell");
    let daemon = first_line(&mut child);
    assert!(is_alive(&daemon));
    scratch.close().expect("removed");
    assert!(!is_alive(&daemon));
    assert!(child.wait().is_ok());
}

#[test]
fn what_a_tool_left_for_others_stays() {
    let parent = parent();
    let scratch = scratch(&parent);
    let (mut child, server) = daemonise(|command| scratch.spawn(command));
    assert!(child.wait().is_ok());
    scratch.close().expect("removed");
    assert!(is_alive(&server), "a compilation cache's server was ended");
    let server = server.parse().ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(server.expect("a number"), rustix::process::Signal::KILL)
        .expect("killed");
}

#[test]
fn the_guardian_ends_the_daemons_of_benchmarks_wherever_they_are() {
    let parent = parent();
    // A name of its own, as runs have: daemons are found by it, whichever test started them.
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&parent);
    let folder = folder.expect("a folder").keep();
    let run = folder.file_name().expect("a name");
    let start = |role| {
        let mark = mark_of(run, role);
        let mut command = shell(DAEMONISING);
        let output = command.env("CARGO_PERFCHECK_RUN", mark).output();
        let text = String::from_utf8(output.expect("a shell").stdout).expect("a number");
        text.trim().to_owned()
    };
    let benchmarks = start(ProcessRole::Benchmark(7));
    let tools = start(ProcessRole::Tool);
    guardian::run(message(&folder).as_slice());
    assert!(!is_alive(&benchmarks));
    assert!(is_alive(&tools));
    let tools = tools.parse().ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(tools.expect("a number"), rustix::process::Signal::KILL)
        .expect("killed");
}
