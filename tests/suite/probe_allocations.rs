//! Counts against known truth: routines whose allocations are worked out by hand, with two versions
//! of Criterion and four allocators (`fixtures/crates/probe-allocations`).
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use cargo_perfcheck::build::Executable;
use cargo_perfcheck::harness::{
    CriterionVersion, Ending, Invocation, Length, Message, Process, Timing,
};
use cargo_perfcheck::process::Placement;
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::seam::{
    AllocationRecord, AllocationSeam, Coverage, HISTOGRAM_BUCKETS, Tracing,
};
use cargo_perfcheck::units::{Paired, Side};

use crate::probe::Fixture;

const PATIENT: Duration = Duration::from_secs(120);
const GIGABYTE: u64 = 1 << 30;

pub(crate) static FIXTURE: LazyLock<Fixture> =
    LazyLock::new(|| Fixture::build("probe-allocations"));

/// What one iteration does: allocations, reallocations, frees, bytes; peak, growth and largest.
struct Truth {
    name: &'static str,
    counts: [u64; 4],
    peak: Peak,
    growth: i64,
    largest: u64,
}

impl Truth {
    /// What an iteration leaves behind for good: the batched routine's output is dropped after its region.
    fn retained(&self) -> i64 {
        match self.name {
            "batched" => 0,
            _ => self.growth,
        }
    }
}

/// The most live bytes of one iteration.
enum Peak {
    Exactly(u64),
    /// What one iteration leaves is there in the next: this much per iteration.
    PerIteration(u64),
}

#[rustfmt::skip]
const KNOWN: [Truth; 13] = [
    truth("vectors", [3, 0, 3, 2011], Peak::Exactly(2011), 0, 1000),
    truth("boxes", [10, 0, 10, 320], Peak::Exactly(32), 0, 32),
    truth("doubling", [1, 5, 1, 32 + 64 + 128 + 256 + 512 + 1024], Peak::Exactly(1024), 0, 1024),
    truth("hash_map", [1, 0, 1, 128 * 16 + 128 + 16], Peak::Exactly(2192), 0, 2192),
    truth("over_aligned", [1, 0, 1, 256], Peak::Exactly(256), 0, 256),
    truth("zeroed", [1, 0, 1, 300], Peak::Exactly(300), 0, 300),
    truth("leak", [1, 0, 0, 100], Peak::PerIteration(100), 100, 100),
    truth("gigabyte", [1, 0, 1, GIGABYTE], Peak::Exactly(GIGABYTE), 0, GIGABYTE),
    truth("refused", [0, 0, 0, 0], Peak::Exactly(0), 0, 0),
    truth("c_library", [3, 1, 3, 6 + 80 + 100 + 200], Peak::Exactly(200), 0, 200),
    truth("another_thread", [5, 0, 5, 5 * 64], Peak::Exactly(64), 0, 64),
    truth("nothing", [0, 0, 0, 0], Peak::Exactly(0), 0, 0),
    truth("batched", [0, 1, 0, 1000], Peak::Exactly(500), 500, 1000),
];

const fn truth(
    name: &'static str,
    counts: [u64; 4],
    peak: Peak,
    growth: i64,
    largest: u64,
) -> Truth {
    Truth {
        name,
        counts,
        peak,
        growth,
        largest,
    }
}

/// The samples of each benchmark with their iterations, whether they can be trusted, and what the process
/// had to say.
pub(crate) struct Counted {
    pub(crate) coverage: BTreeMap<String, Coverage>,
    pub(crate) samples: BTreeMap<String, Vec<(u64, AllocationRecord)>>,
    pub(crate) ending: Ending,
}

fn count(target: &str, side: Side) -> Counted {
    let executable = FIXTURE.executable(target);
    count_as(&executable, side, "^known/", Tracing::NONE)
}

pub(crate) fn count_as(
    executable: &Executable,
    side: Side,
    filter: &str,
    tracing: Tracing,
) -> Counted {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paired::from_fn(|_| executable.path.as_path());
    let mut seam = AllocationSeam::prepare(folder.path(), paths).unwrap();
    let scratch = Scratch::create(folder.path(), None).unwrap();
    let timing = Timing {
        warm_up: Duration::from_millis(1),
        measurement: Duration::from_millis(5),
        sample_size: 10,
    };
    let version = CriterionVersion {
        major: 0,
        minor: 5,
        patch: 0,
    };
    let invocation = Invocation {
        executable,
        side,
        filter: filter.into(),
        timing: Some((timing, Some(version))),
        length: Length::Whole,
        placement: Placement::Free,
        env: seam.env(side),
    };
    let mut process = Process::spawn(&invocation, &scratch).unwrap();
    process.connect(PATIENT).unwrap();
    assert!(seam.attached(side, process.id()).unwrap());
    seam.trace(tracing).unwrap();
    process.greet(PATIENT).unwrap();
    let (mut samples, mut coverage) = (BTreeMap::new(), BTreeMap::new());
    let ending = loop {
        let message = match process.next(PATIENT) {
            Ok(message) => message,
            Err(ending) => break ending,
        };
        match message {
            Message::MeasurementComplete {
                id, iters, times, ..
            } => {
                let name = id.function_id.unwrap();
                let trusted = seam.coverage(side, process.id()).unwrap();
                coverage.insert(name.clone(), trusted);
                if !matches!(trusted, Coverage::None { .. }) {
                    let records = seam.take_log(side, &times).unwrap();
                    let records = records.unwrap_or_else(|why| panic!("{name}: {why}"));
                    let iterations = iters.into_iter().map(|count| count as u64);
                    samples.insert(name, iterations.zip(records).collect());
                }
                seam.trace(tracing).unwrap();
                process.proceed().unwrap();
            }
            Message::FinishedBenchmarkGroup { .. } => process.proceed().unwrap(),
            _ => {}
        }
    };
    Counted {
        coverage,
        samples,
        ending,
    }
}

fn assert_known(target: &str, side: Side) {
    let counted = count(target, side);
    for truth in &KNOWN {
        let coverage = counted.coverage[truth.name];
        assert_eq!(coverage, Coverage::Complete, "{target} {}", truth.name);
        let samples = &counted.samples[truth.name];
        assert_eq!(samples.len(), 10);
        for (iterations, found) in samples {
            let context = format!("{target} {} {iterations} {found:?}", truth.name);
            assert_sample(truth, *iterations, found, &context);
        }
    }
}

fn assert_sample(truth: &Truth, iterations: u64, found: &AllocationRecord, context: &str) {
    let counts = [
        found.allocations,
        found.reallocations,
        found.frees,
        found.bytes,
    ];
    assert_eq!(
        counts,
        truth.counts.map(|each| each * iterations),
        "{context}"
    );
    assert_eq!(
        found.growth_bytes,
        truth.growth * iterations as i64,
        "{context}"
    );
    assert_eq!(
        found.retained_bytes,
        truth.retained() * iterations as i64,
        "{context}"
    );
    assert_eq!(found.largest_bytes, truth.largest, "{context}");
    match truth.peak {
        Peak::Exactly(peak) => assert_eq!(found.peak_bytes, peak, "{context}"),
        Peak::PerIteration(peak) => assert_eq!(found.peak_bytes, peak * iterations, "{context}"),
    }
    let refused = if truth.name == "refused" {
        iterations
    } else {
        0
    };
    assert_eq!(found.failures, refused, "{context}");
    let requests: u64 = found.histogram.iter().sum();
    assert_eq!(
        requests,
        found.allocations + found.reallocations,
        "{context}"
    );
    assert_eq!(found.histogram.len(), HISTOGRAM_BUCKETS);
}

#[test]
fn the_system_allocator_is_counted_exactly_under_both_versions_of_criterion_and_on_both_sides() {
    for side in Side::BOTH {
        assert_known("system05", side);
        assert_known("system08", side);
    }
}

/// The compiler inlines such an allocator into the code that calls it: what is counted are the functions of
/// mimalloc and jemalloc themselves, and for a wrapper those of the C library, after it was seen that it
/// passes each request on.
#[test]
fn allocators_that_the_program_names_are_counted_exactly() {
    assert_known("wrapper08", Side::Base);
    assert_known("mimalloc05", Side::Base);
    assert_known("jemalloc05", Side::Head);
    for side in Side::BOTH {
        assert_known("mimalloc08", side);
        assert_known("jemalloc08", side);
    }
}

#[test]
fn an_allocator_that_counts_by_itself_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witness");
    let status = Command::new(FIXTURE.executable("wrapper08").path)
        .args(["--bench", "--noplot"])
        .env("WITNESS", &path)
        .status()
        .unwrap();
    assert!(status.success());
    let witness = std::fs::read_to_string(path).unwrap();
    let counted = count("system08", Side::Base);
    // The program's own allocator does not see allocations of C code.
    for line in witness
        .lines()
        .filter(|line| !line.starts_with("c_library"))
    {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let each: Vec<u64> = words.map(|word| word.parse().unwrap()).collect();
        for (iterations, found) in &counted.samples[name] {
            let counts = [
                found.allocations,
                found.reallocations,
                found.frees,
                found.bytes,
            ];
            let expected: Vec<u64> = each.iter().map(|count| count * iterations).collect();
            assert_eq!(counts.as_slice(), expected, "{name}");
        }
    }
}

/// What DHAT says about a routine: blocks and bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Witnessed {
    blocks: u64,
    bytes: u64,
}

/// Valgrind's DHAT runs each routine once, on a processor of its own making, and adds up what was asked for
/// below its function. A reallocation is a block more, of the new size.
#[test]
fn valgrind_comes_to_the_same() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        // Past the harness, which would swallow it: a skipped test must be seen.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED valgrind_comes_to_the_same: valgrind is not installed\n",
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dhat.json");
    let output = Command::new("valgrind")
        .args(["--tool=dhat", "--num-callers=40"])
        .arg(format!("--dhat-out-file={}", path.display()))
        .arg(FIXTURE.executable("wrapper08").path)
        .args(["--bench", "--noplot"])
        .env("WITNESS", folder.path().join("witness"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let found: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let frames = found["ftbl"].as_array().unwrap();
    // The other thread serves once more, to begin with; what is refused is no block.
    let skipped = ["another_thread", "refused", "batched"];
    for truth in KNOWN.iter().filter(|truth| !skipped.contains(&truth.name)) {
        let function = format!("wrapper08::{} (", truth.name);
        let mut witnessed = Witnessed::default();
        for point in found["pps"].as_array().unwrap() {
            let mut stack = point["fs"].as_array().unwrap().iter();
            let is_below = stack.any(|frame| {
                let frame = &frames[frame.as_u64().unwrap() as usize];
                frame.as_str().unwrap().contains(&function)
            });
            if is_below {
                witnessed.blocks += point["tbk"].as_u64().unwrap();
                witnessed.bytes += point["tb"].as_u64().unwrap();
            }
        }
        let [allocations, reallocations, _, bytes] = truth.counts;
        let expected = Witnessed {
            blocks: allocations + reallocations,
            bytes,
        };
        assert_eq!(witnessed, expected, "{}", truth.name);
    }
}
