//! The probe and the turn protocol, with real processes: a stand-in benchmark with functions of
//! Criterion's names and shape. (`tests/suite/probe.rs` tests Criterion itself.)

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use super::*;

/// The stand-in, compiled once per test process.
static STANDIN: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let executable = folder.path().join("standin");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programs/standin.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition", "2021", "--crate-name", "criterion", "-O", "-o"])
        .args([&executable, &source])
        .status()
        .unwrap();
    assert!(status.success());
    (folder, executable)
});

/// A running stand-in.
struct Standin {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Standin {
    fn start(seam: &Seam, side: Side) -> Standin {
        let mut command = Command::new(&STANDIN.1);
        command.envs(seam.env(side));
        Standin::spawn(command)
    }

    fn spawn(mut command: Command) -> Standin {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut standin = Standin {
            child,
            input,
            output,
        };
        // The constructor has run once `main` answers.
        standin.ask("self");
        standin
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.input, "{command}").unwrap();
    }

    fn answer(&mut self) -> Option<String> {
        self.output.next().map(|line| line.unwrap())
    }

    fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer().unwrap()
    }

    fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn seam_with(settings: &Settings) -> (TempDir, Seam) {
    let run = tempfile::tempdir().unwrap();
    let executables = Paired::from_fn(|_| STANDIN.1.as_path());
    let seam = Seam::prepare(run.path(), executables, settings).unwrap();
    (run, seam)
}

fn seam() -> (TempDir, Seam) {
    seam_with(&Settings::default())
}

fn times(answer: &str) -> Vec<f64> {
    answer.split(' ').map(|t| t.parse().unwrap()).collect()
}

fn agreed(seam: &Seam, side: Side, answer: &str) -> Vec<SampleRecord> {
    match reconcile(&seam.take_log(side).unwrap(), &times(answer)) {
        Reconciliation::Agreed(records) => records,
        Reconciliation::Disagreed(why) => panic!("{side}: {why}"),
    }
}

/// How often the two sides took turns, by the order in which their samples began.
fn changes(base: &[SampleRecord], head: &[SampleRecord]) -> usize {
    let mut all: Vec<_> = base.iter().map(|r| (r.start_ns, Side::Base)).collect();
    all.extend(head.iter().map(|r| (r.start_ns, Side::Head)));
    all.sort_unstable();
    all.windows(2).filter(|two| two[0].1 != two[1].1).count()
}

#[test]
fn every_time_of_a_lone_process_is_in_the_log() {
    let (_run, mut seam) = seam();
    let mut bench = Standin::start(&seam, Side::Base);
    assert!(seam.attached(Side::Base, bench.id()).unwrap());
    assert!(!seam.attached(Side::Head, bench.id()).unwrap());
    for command in ["iter 40", "batched 40", "iter 40"] {
        seam.observe().unwrap();
        let answer = bench.ask(command);
        let records = agreed(&seam, Side::Base, &answer);
        let regions = if command.starts_with("iter") { 1 } else { 3 };
        assert!(records.iter().all(|r| r.regions == regions), "{command}");
        assert!(
            records
                .windows(2)
                .all(|two| two[0].end_ns <= two[1].start_ns)
        );
    }
}

#[test]
fn samples_alternate_and_never_overlap() {
    let (_run, mut seam) = seam_with(&Settings {
        slice: Duration::ZERO,
        ..Settings::default()
    });
    let mut base = Standin::start(&seam, Side::Base);
    let mut head = Standin::start(&seam, Side::Head);
    for first in [Side::Head, Side::Base, Side::Base] {
        seam.begin(first).unwrap();
        base.tell("iter 30");
        head.tell("iter 30");
        let (of_first, of_second) = match first {
            Side::Base => (&mut base, &mut head),
            Side::Head => (&mut head, &mut base),
        };
        let one = of_first.answer().unwrap();
        seam.alone(first.other()).unwrap();
        let two = of_second.answer().unwrap();
        let one = agreed(&seam, first, &one);
        let two = agreed(&seam, first.other(), &two);
        assert!(one[0].start_ns < two[0].start_ns);
        assert!(changes(&one, &two) >= 58, "{}", changes(&one, &two));
        let mut all: Vec<_> = one.iter().chain(&two).collect();
        all.sort_by_key(|r| r.start_ns);
        assert!(all.windows(2).all(|two| two[0].end_ns <= two[1].start_ns));
    }
}

#[test]
fn a_side_that_exits_aborts_hangs_or_is_killed_does_not_block_the_other() {
    for fault in ["exit 5", "abort 5", "hang 5", "killed"] {
        for first in Side::BOTH {
            let (_run, mut seam) = seam();
            let mut bad = Standin::start(&seam, Side::Base);
            let mut good = Standin::start(&seam, Side::Head);
            seam.begin(first).unwrap();
            if fault == "killed" {
                bad.tell("iter 1000000");
                bad.child.kill().unwrap();
            } else {
                bad.tell(fault);
            }
            good.tell("iter 50");
            if fault != "hang 5" {
                bad.child.wait().unwrap();
            }
            seam.alone(Side::Head).unwrap();
            let answer = good.answer().unwrap();
            assert_eq!(agreed(&seam, Side::Head, &answer).len(), 50, "{fault}");
        }
    }
}

#[test]
fn a_process_that_waits_for_its_turn_is_seen_to_wait() {
    let (_run, mut seam) = seam();
    let mut base = Standin::start(&seam, Side::Base);
    seam.begin(Side::Head).unwrap();
    base.tell("iter 5");
    while seam.phase(Side::Base).unwrap() != Phase::Waiting {
        std::thread::yield_now();
    }
    seam.alone(Side::Base).unwrap();
    assert_eq!(times(&base.answer().unwrap()).len(), 5);
    assert_eq!(seam.phase(Side::Base).unwrap(), Phase::Running);
}

#[test]
fn a_process_stands_still_with_the_first_call_behind_the_time_that_is_wanted() {
    let (_run, mut seam) = seam();
    let mut bench = Standin::start(&seam, Side::Base);
    seam.observe().unwrap();
    let least = Duration::from_millis(2);
    seam.stop_after(Side::Base, Enough::Timed(least)).unwrap();
    let pace = seam.pace(Side::Base).unwrap();
    assert!(pace.is_bounded() && !pace.is_certain_to_end());
    bench.tell("iter 30000");
    while !pace.is_enough() {
        std::thread::yield_now();
    }
    assert!(pace.is_certain_to_end());
    let log = seam.take_log(Side::Base).unwrap();
    let timed =
        |samples: &[SampleRecord]| samples.iter().map(|sample| sample.timed_ns).sum::<u64>();
    let least = least.as_nanos() as u64;
    assert!(timed(&log) >= least);
    assert!(timed(&log[..log.len() - 1]) < least);
    // The request applies to one benchmark only.
    let mut next = Standin::start(&seam, Side::Head);
    seam.observe().unwrap();
    assert!(!seam.pace(Side::Base).unwrap().is_bounded());
    assert_eq!(times(&next.ask("iter 400")).len(), 400);
}

#[test]
fn a_benchmark_that_reads_the_clock_is_not_claimed() {
    let (_run, mut seam) = seam();
    let mut bench = Standin::start(&seam, Side::Base);
    for command in ["clock 20", "custom 20"] {
        seam.observe().unwrap();
        let answer = bench.ask(command);
        let found = reconcile(&seam.take_log(Side::Base).unwrap(), &times(&answer));
        assert!(matches!(found, Reconciliation::Disagreed(_)), "{command}");
    }
    seam.disable().unwrap();
    assert_eq!(times(&bench.ask("clock 20")).len(), 20);
    assert!(seam.take_log(Side::Base).unwrap().is_empty());
    seam.observe().unwrap();
    let answer = bench.ask("iter 20");
    agreed(&seam, Side::Base, &answer);
}

#[test]
fn a_set_up_may_read_the_clock_as_often_and_in_as_many_places_as_it_likes() {
    let (_run, mut seam) = seam();
    let mut bench = Standin::start(&seam, Side::Base);
    for set_up in ["custom 1000", "places 500"] {
        seam.observe().unwrap();
        bench.ask(set_up);
        let answer = bench.ask("iter 20");
        assert_eq!(agreed(&seam, Side::Base, &answer).len(), 20, "{set_up}");
    }
}

#[test]
fn other_threads_may_read_the_clock() {
    let (_run, mut seam) = seam();
    let mut bench = Standin::start(&seam, Side::Head);
    seam.observe().unwrap();
    let answer = bench.ask("threads 20");
    agreed(&seam, Side::Head, &answer);
}

#[test]
fn children_and_forks_never_hear_of_the_probe() {
    let (_run, mut seam) = seam();
    let mut bench = Standin::start(&seam, Side::Head);
    seam.begin(Side::Base).unwrap();
    for command in [
        "environment",
        "own-environment",
        "maps-of-a-child",
        "files-of-a-child",
    ] {
        let answer = bench.ask(command);
        assert!(!answer.is_empty());
        assert!(!answer.contains("PERFCHECK_PROBE="), "{command}: {answer}");
        assert!(!answer.contains("seam-"), "{command}: {answer}");
    }
    // It is not this side's turn, yet a forked child runs: it is not attached.
    assert_eq!(bench.ask("fork 5"), "7");
    assert!(seam.take_log(Side::Head).unwrap().is_empty());
}

#[test]
fn a_process_of_another_parent_is_left_alone() {
    let (_run, seam) = seam();
    let mut command = Command::new("sh");
    command
        .args(["-c", "\"$0\"; true"])
        .arg(&STANDIN.1)
        .envs(seam.env(Side::Base));
    let mut bench = Standin::spawn(command);
    let pid: u32 = bench.ask("self").parse().unwrap();
    assert!(!seam.attached(Side::Base, pid).unwrap());
    assert!(!seam.attached(Side::Base, bench.id()).unwrap());
    assert_eq!(times(&bench.ask("iter 5")).len(), 5);
}

#[test]
fn a_wrapper_hands_the_probe_on_to_the_benchmark() {
    let (_run, seam) = seam();
    let mut command = Command::new("nice");
    command.arg(&STANDIN.1).envs(seam.env(Side::Base));
    let bench = Standin::spawn(command);
    assert!(seam.attached(Side::Base, bench.id()).unwrap());
}

#[test]
fn injected_time_lengthens_the_timed_regions_by_its_share() {
    let (_run, mut seam) = seam_with(&Settings {
        inject: Paired::new(0.0, 1.0),
        ..Settings::default()
    });
    let mut base = Standin::start(&seam, Side::Base);
    let mut head = Standin::start(&seam, Side::Head);
    seam.begin(Side::Base).unwrap();
    base.tell("iter 200");
    head.tell("iter 200");
    let of_base = base.answer().unwrap();
    seam.alone(Side::Head).unwrap();
    let of_head = head.answer().unwrap();
    let median = |records: Vec<SampleRecord>| {
        let mut times: Vec<_> = records.iter().map(|r| r.timed_ns).collect();
        times.sort_unstable();
        times[times.len() / 2] as f64
    };
    let ratio =
        median(agreed(&seam, Side::Head, &of_head)) / median(agreed(&seam, Side::Base, &of_base));
    // Twice as long, roughly: the sides do not run at the same time, so the machine adds noise.
    assert!((1.4..4.0).contains(&ratio), "{ratio}");
}

#[test]
fn the_environment_is_equally_long_on_both_sides() {
    let (_run, seam) = seam();
    let length = |side| -> usize { seam.env(side).iter().map(|(k, v)| k.len() + v.len()).sum() };
    assert_eq!(length(Side::Base), length(Side::Head));
}

#[test]
fn a_run_folder_with_spaces_and_colons_works() {
    let parent = tempfile::tempdir().unwrap();
    let run = parent.path().join("a b:c");
    fs_err::create_dir(&run).unwrap();
    let executables = Paired::from_fn(|_| STANDIN.1.as_path());
    let seam = Seam::prepare(&run, executables, &Settings::default()).unwrap();
    let bench = Standin::start(&seam, Side::Base);
    assert!(seam.attached(Side::Base, bench.id()).unwrap());
}

#[test]
fn an_executable_without_criterion_is_refused_with_its_name() {
    let run = tempfile::tempdir().unwrap();
    let cat = fs_err::canonicalize("/bin/cat").unwrap();
    let executables = Paired::from_fn(|_| cat.as_path());
    let refused = Seam::prepare(run.path(), executables, &Settings::default()).unwrap_err();
    assert!(matches!(refused, SeamError::NoBencher { .. }), "{refused}");
    let name = cat.to_string_lossy();
    assert!(refused.to_string().contains(&*name), "{refused}");
}

#[test]
fn a_text_file_is_refused() {
    let run = tempfile::tempdir().unwrap();
    let text = run.path().join("text");
    fs_err::write(&text, "not an executable").unwrap();
    let executables = Paired::from_fn(|_| text.as_path());
    let refused = Seam::prepare(run.path(), executables, &Settings::default()).unwrap_err();
    assert!(
        matches!(refused, SeamError::NotPreloadable { .. }),
        "{refused}"
    );
}

#[test]
fn each_benchmark_of_a_process_has_a_profile_of_its_own() {
    let run = tempfile::tempdir().unwrap();
    let executables = Paired::from_fn(|_| STANDIN.1.as_path());
    let seam = ProfileSeam::prepare(run.path(), executables).unwrap();
    let mut command = Command::new(&STANDIN.1);
    command.envs(seam.env(Side::Head));
    let mut bench = Standin::spawn(command);
    assert!(seam.attached(Side::Head, bench.id()).unwrap());
    let numbers = ["iter 3000", "batched 3000"].map(|command| {
        let number = seam.begin(Side::Head, ProfileClock::MainThread).unwrap();
        bench.ask(command);
        number
    });
    bench.tell("exit 1");
    while bench.answer().is_some() {}
    for number in numbers {
        let profile = seam.take(Side::Head, number).unwrap();
        let sampled: u64 = profile.stacks.iter().map(|stack| stack.count).sum();
        assert!(
            sampled > 0 && sampled <= profile.ticks_inside,
            "{profile:?}"
        );
    }
}
