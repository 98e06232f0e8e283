//! The probe against real Criterion, two versions of it: every shape of loop, two live processes a
//! run, with nothing in between but the protocol and the seam.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cargo_perfcheck::build::{CommandLine, Executable};
use cargo_perfcheck::harness::{
    CriterionVersion, Invocation, Length, Message, Process, Timing, next_of,
};
use cargo_perfcheck::process::{Placement, allowed_processors};
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::seam::{Reconciliation, SampleRecord, Seam, Settings, reconcile};
use cargo_perfcheck::units::{Paired, Side};

use crate::support::compiled_once;

const PATIENT: Duration = Duration::from_secs(120);
const VERSIONS: [&str; 2] = ["shapes05", "shapes08"];

pub(crate) static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| Fixture::build("probe-criterion"));

/// The benchmark executables of a fixture, built in the folder that cargo keeps for tests.
pub(crate) struct Fixture {
    package: &'static str,
    built: BTreeMap<String, PathBuf>,
}

impl Fixture {
    pub(crate) fn build(package: &'static str) -> Fixture {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/crates")
            .join(package);
        let stage = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
        copy(&fixture, &stage);
        let output = Command::new(env!("CARGO"))
            .args(["bench", "--no-run", "--benches", "--message-format=json"])
            .current_dir(&stage)
            .env("CARGO_TARGET_DIR", stage.join("target"))
            .envs(compiled_once())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let built = cargo_metadata::Message::parse_stream(&*output.stdout)
            .filter_map(|message| match message.unwrap() {
                cargo_metadata::Message::CompilerArtifact(artifact) => {
                    Some((artifact.target.name, artifact.executable?.into()))
                }
                _ => None,
            })
            .collect();
        Fixture { package, built }
    }

    pub(crate) fn executable(&self, target: &str) -> Executable {
        Executable {
            package: self.package.into(),
            target: target.into(),
            path: self.built[target].clone(),
            working_dir: std::env::temp_dir(),
            env: Vec::new(),
            criterion: None,
            source: std::path::PathBuf::new(),
            names: std::collections::BTreeMap::new(),
            command_line: CommandLine::default(),
            runner: None,
            link: None,
        }
    }
}

/// Copies a folder, `.in` taken off the names.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let target = to.join(name.strip_suffix(".in").unwrap_or(&name));
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The outcome of a benchmark: the log of each side, reconciled with what the side reported.
type Outcome = Paired<Reconciliation>;

/// Runs the benchmarks that match `filter` in two processes, paired by sample.
fn run(target: &str, filter: &str, milliseconds: u64) -> BTreeMap<String, Outcome> {
    let targets = Paired::new(target, target);
    let settings = Settings::default();
    start(
        targets,
        filter,
        milliseconds,
        &settings,
        Placement::Free,
        follow,
    )
}

/// Starts a process for each side, and passes them on while both run the first benchmark.
fn start<T>(
    targets: Paired<&str>,
    filter: &str,
    milliseconds: u64,
    settings: &Settings,
    placement: Placement,
    play: impl FnOnce(&mut Seam, Paired<Process>) -> T,
) -> T {
    let executables = targets.map(|target| FIXTURE.executable(target));
    let folder = tempfile::tempdir().unwrap();
    let paths = executables.as_ref().map(|each| each.path.as_path());
    let mut seam = Seam::prepare(folder.path(), paths, settings).unwrap();
    let scratch = Scratch::create(folder.path(), None).unwrap();
    let timing = Timing {
        warm_up: Duration::from_millis(milliseconds / 2),
        measurement: Duration::from_millis(milliseconds),
        sample_size: 20,
    };
    let version = CriterionVersion {
        major: 0,
        minor: 5,
        patch: 0,
    };
    let mut processes = Paired::from_fn(|side| {
        let invocation = Invocation {
            executable: executables.get(side),
            side,
            filter: filter.into(),
            timing: Some((timing, Some(version))),
            length: Length::Whole,
            placement,
            env: seam.env(side),
        };
        let mut process = Process::spawn(&invocation, &scratch).unwrap();
        process.connect(PATIENT).unwrap();
        assert!(seam.attached(side, process.id()).unwrap());
        process
    });
    let ids = processes.as_ref().map(Process::id);
    seam.introduce(ids).unwrap();
    seam.begin(Side::Base).unwrap();
    processes.base.greet(PATIENT).unwrap();
    processes.head.greet(PATIENT).unwrap();
    play(&mut seam, processes)
}

fn follow(seam: &mut Seam, processes: Paired<Process>) -> BTreeMap<String, Outcome> {
    let Paired { mut base, mut head } = processes;
    let mut outcomes = BTreeMap::new();
    let mut alive = Paired::new(true, true);
    let mut complete: Paired<Option<(String, Vec<f64>)>> = Paired::new(None, None);
    while alive.base || alive.head {
        let mut listening = Paired::new(
            alive.base.then_some(&mut base),
            alive.head.then_some(&mut head),
        );
        let (side, heard) = next_of(&mut listening, Instant::now() + PATIENT).unwrap();
        match heard {
            Ok(Message::MeasurementComplete { id, times, .. }) => {
                seam.alone(side.other()).unwrap();
                *complete.get_mut(side) = Some((id.full(), times));
            }
            Ok(Message::FinishedBenchmarkGroup { .. }) => match side {
                Side::Base => base.proceed().unwrap(),
                Side::Head => head.proceed().unwrap(),
            },
            Ok(_) => {}
            Err(_) => *alive.get_mut(side) = false,
        }
        if let (Some(of_base), Some(of_head)) = (&complete.base, &complete.head) {
            assert_eq!(of_base.0, of_head.0);
            let outcome = Paired::new(&of_base.1, &of_head.1);
            let outcome =
                Paired::from_fn(|side| reconcile(&seam.take_log(side).unwrap(), outcome.get(side)));
            outcomes.insert(of_base.0.clone(), outcome);
            complete = Paired::new(None, None);
            seam.begin(Side::Head).unwrap();
            base.proceed().unwrap();
            head.proceed().unwrap();
        }
    }
    outcomes
}

fn agreed<'a>(name: &str, outcome: &'a Outcome) -> Paired<&'a [SampleRecord]> {
    outcome.as_ref().map(|side| match side {
        Reconciliation::Agreed(records) => records.as_slice(),
        Reconciliation::Disagreed(why) => panic!("{name}: {why}"),
    })
}

fn changes(records: Paired<&[SampleRecord]>) -> usize {
    let mut all: Vec<(u64, Side)> = Side::BOTH
        .iter()
        .flat_map(|&side| records.get(side).iter().map(move |r| (r.start_ns, side)))
        .collect();
    all.sort_unstable();
    all.windows(2).filter(|two| two[0].1 != two[1].1).count()
}

#[test]
fn every_reported_sample_of_every_shape_is_in_the_log_and_the_sides_alternate() {
    for target in VERSIONS {
        let outcomes = run(target, "^recognised/", 60);
        assert_eq!(outcomes.len(), 12, "{target}: {:?}", outcomes.keys());
        for (name, outcome) in &outcomes {
            let records = agreed(&format!("{target} {name}"), outcome);
            assert_eq!(records.base.len(), 20);
            let mut all: Vec<_> = records.base.iter().chain(records.head).collect();
            all.sort_by_key(|record| record.start_ns);
            assert!(
                all.windows(2).all(|two| two[0].end_ns <= two[1].start_ns),
                "{name} overlaps"
            );
            assert!(
                changes(records) >= 8,
                "{target} {name}: {}",
                changes(records)
            );
        }
    }
}

#[test]
fn strange_benchmarks_run_to_their_end_and_are_claimed_only_if_they_agree() {
    for target in VERSIONS {
        let outcomes = run(target, "^strange/", 40);
        assert_eq!(outcomes.len(), 6, "{target}: {:?}", outcomes.keys());
        for name in [
            "strange/another_thread_reads_the_clock",
            "strange/starts_a_child",
        ] {
            agreed(&format!("{target} {name}"), &outcomes[name]);
        }
        for name in [
            "strange/iter_custom",
            "strange/reads_the_clock",
            "strange/waits_for_a_timer",
        ] {
            let claimed = |side: &Reconciliation| matches!(side, Reconciliation::Agreed(_));
            assert!(
                !claimed(&outcomes[name].base) && !claimed(&outcomes[name].head),
                "{name}"
            );
        }
    }
}

/// What all threads of a process have run so far, in nanoseconds (proc_pid_schedstat), and the first thread's state.
fn running_time(pid: u32) -> (u64, char) {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().unwrap().parse().unwrap_or(0)
    };
    let time = tasks.map(|task| of(task.unwrap())).sum();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let state = stat.rsplit_once(") ").unwrap().1.chars().next().unwrap();
    (time, state)
}

#[test]
fn a_side_that_waits_stands_still_with_all_its_threads() {
    let settings = Settings {
        slice: Duration::from_millis(60),
        ..Settings::default()
    };
    let targets = Paired::new("shapes05", "shapes08");
    let one = Placement::On(allowed_processors()[0]);
    let still = start(
        targets,
        "^beside/spins$",
        800,
        &settings,
        one,
        |seam, both| {
            let (Paired { mut base, mut head }, mut still) = (both, 0);
            let deadline = Instant::now() + PATIENT;
            let mut reported = Paired::new(false, false);
            while !(reported.base && reported.head) {
                assert!(Instant::now() < deadline);
                let mut running = Paired {
                    base: (!reported.base).then_some(&mut base),
                    head: (!reported.head).then_some(&mut head),
                };
                let heard = next_of(&mut running, Instant::now() + Duration::from_millis(1));
                if let Some((side, heard)) = heard {
                    let (own, peer) = match side {
                        Side::Base => (&mut base, &head),
                        Side::Head => (&mut head, &base),
                    };
                    match heard.unwrap() {
                        Message::FinishedBenchmarkGroup { .. } => own.proceed().unwrap(),
                        Message::MeasurementComplete { .. } => {
                            *reported.get_mut(side) = true;
                            peer.resume();
                            seam.alone(side.other()).unwrap();
                        }
                        _ => {}
                    }
                    continue;
                }
                let turns = || Paired::from_fn(|side| seam.turns(side).unwrap());
                let (before, of_base) = (turns(), seam.phase(Side::Base).unwrap());
                let (spent, state) = running_time(head.id());
                std::thread::sleep(Duration::from_millis(20));
                // Read before the turn is looked at: it may change at any time.
                let (later, still_state) = running_time(head.id());
                if state == 'T' && still_state == 'T' && before == turns() {
                    assert_eq!(of_base, cargo_perfcheck::seam::Phase::Running);
                    // A thread that is told to stop runs for some microseconds until it does; a tick has 10 ms.
                    let worked = later - spent;
                    assert!(
                        worked < 1_000_000,
                        "it worked for {worked} ns while it waited"
                    );
                    still += 1;
                }
            }
            assert!(seam.was_stopped(Side::Head).unwrap());
            assert!(!seam.was_stopped(Side::Base).unwrap());
            assert!(!seam.worked_on(Side::Head).unwrap());
            still
        },
    );
    assert!(still >= 3, "{still}");
}
