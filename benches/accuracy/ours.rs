//! Our procedure, through the library.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use cargo_perfcheck::analyse::{self, Settling, Verdict};
use cargo_perfcheck::build::{CommandLine, CriterionPackage, Executable};
use cargo_perfcheck::discover::{
    Benchmark, Discovery, FunctionDiff, Identity, Presence, Reached, Target,
};
use cargo_perfcheck::harness::CriterionVersion;
use cargo_perfcheck::measure::{self, Measured, Settled};
use cargo_perfcheck::plan::{
    AllocationPolicy, CauseEvidence, Layouts, OnMore, PairingRequest, Pinning, ProfileTime,
    RoundLength, Sampling, Thresholds,
};
use cargo_perfcheck::scratch::Scratch;
use cargo_perfcheck::units::{BenchmarkKey, Paired, Ratio};

use crate::{Answer, Direction, subject};

/// The Criterion that this executable is built with.
const CRITERION: CriterionVersion = CriterionVersion {
    major: 0,
    minor: 8,
    patch: 2,
};

/// Measures this executable against itself.
pub(crate) struct Ours {
    sampling: Sampling,
    thresholds: Thresholds,
    scratch: Scratch,
    notes: BTreeSet<String>,
}

impl Ours {
    /// With the defaults of the command line, except the time and the confidence level for a single benchmark.
    pub(crate) fn new(time: f64) -> anyhow::Result<Ours> {
        Ok(Ours {
            sampling: Sampling {
                seed: 0,
                unchanged_after: 6,
                rounds: 30,
                time: Duration::from_secs_f64(time),
                warm_up: Duration::from_millis(50),
                measurement: Duration::from_millis(100),
                round_length: RoundLength::Asked,
                sample_size: 20,
                timeout: Duration::from_secs(60),
                pairing: PairingRequest::Auto,
                pinning: Pinning::Auto,
                layouts: Layouts::Off,
                allocations: false,
                instructions: false,
                only: None,
                reach: false,
                profiling: cargo_perfcheck::plan::Profiling::Off,
                profile_time: ProfileTime::AtMost(Duration::from_secs(3)),
                causes: CauseEvidence::Samples,
                measure_identical: true,
                inject: None,
                rules: cargo_perfcheck::plan::config::Rules::default(),
            },
            thresholds: Thresholds {
                practical: Ratio::from_change(0.01),
                confidence: 0.99,
                allocations: AllocationPolicy {
                    threshold: Ratio::from_change(0.01),
                    on_more: OnMore::Modify,
                },
                instructions: Ratio::from_quotient(1.001),
            },
            scratch: Scratch::create(&std::env::temp_dir().join("perfcheck-accuracy"), None)?,
            notes: BTreeSet::new(),
        })
    }

    /// Asks about a planted change, given in ten-thousandths.
    pub(crate) fn ask(
        &mut self,
        name: &str,
        planted: u32,
        seed: u64,
        pairing: PairingRequest,
    ) -> anyhow::Result<Answer> {
        self.sampling.seed = seed;
        self.sampling.pairing = pairing;
        let discovery = discovery(name, planted)?;
        let settling = Settling::plan(&self.thresholds, &self.sampling, 1);
        let mut settle = |measured: &Measured| match settling.settle(measured) {
            Some(verdict) => Settled::Done(verdict.name().to_owned()),
            None => Settled::Continue,
        };
        let started = Instant::now();
        let measured = measure::run(
            &self.sampling,
            &discovery,
            &self.scratch,
            &mut settle,
            &|_| (),
        )?;
        let seconds = started.elapsed().as_secs_f64();
        let comparisons = analyse::compare(&discovery, measured, &self.thresholds, &self.sampling);
        let comparison = comparisons.first().context("nothing was compared")?;
        if let Some(failure) = &comparison.failure {
            anyhow::bail!("{name} failed: {}", failure.reason);
        }
        if let Some(pairing) = comparison.pairing {
            self.notes
                .insert(format!("{name} was paired by {pairing:?}").to_lowercase());
        }
        self.notes.extend(
            comparison
                .notes
                .iter()
                .filter(|note| !note.text.starts_with("certainly"))
                .map(|note| format!("{name}: {}", note.text)),
        );
        let time = comparison.time().context("nothing was timed")?;
        let change = time.estimate.as_ref().context("no interval")?;
        Ok(Answer {
            change: change.ratio.as_change(),
            found: match time.direction {
                Some(analyse::Direction::More) => Some(Direction::Slower),
                Some(analyse::Direction::Fewer) => Some(Direction::Faster),
                Some(analyse::Direction::Same) | None => None,
            },
            verdict: match comparison.verdict {
                Verdict::Slower => Some(Direction::Slower),
                Verdict::Faster => Some(Direction::Faster),
                _ => None,
            },
            seconds,
        })
    }

    /// All raw rounds of identical code: one JSON object per line.
    pub(crate) fn record(&mut self, name: &str) -> anyhow::Result<String> {
        let discovery = discovery(name, 0)?;
        let mut settle = |_: &Measured| Settled::Continue;
        let measured = measure::run(
            &self.sampling,
            &discovery,
            &self.scratch,
            &mut settle,
            &|_| (),
        )?;
        let rounds = &measured.first().context("nothing was measured")?.rounds;
        let lines: Vec<String> = rounds
            .iter()
            .map(|round| {
                let samples = round.samples.as_ref().map(|samples| {
                    serde_json::json!({
                        "iterations": samples.iterations,
                        "times": samples.times,
                        "starts": samples.starts,
                        "preempted": samples.preempted,
                    })
                });
                let line = serde_json::json!({
                    "first": round.first,
                    "pairing": round.pairing,
                    "samples": samples,
                });
                format!("{line}\n")
            })
            .collect();
        Ok(lines.concat())
    }

    /// How each benchmark was paired, and what measuring noted.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &String> {
        self.notes.iter()
    }
}

/// This executable on both sides, with the change planted on the head side.
fn discovery(name: &str, planted: u32) -> anyhow::Result<Discovery> {
    let path = std::env::current_exe()?;
    let working_dir = std::env::current_dir()?;
    let executable = |planted: u32| Executable {
        package: "cargo-perfcheck".to_owned(),
        target: "accuracy".to_owned(),
        path: path.clone(),
        working_dir: working_dir.clone(),
        env: vec![(subject::PLANT.to_owned(), format!("{planted:05}").into())],
        criterion: Some(CriterionPackage::itself(CRITERION.to_string())),
        source: std::path::PathBuf::new(),
        names: std::collections::BTreeMap::new(),
        command_line: CommandLine::default(),
        runner: None,
        link: None,
    };
    Ok(Discovery {
        targets: vec![Target {
            package: "cargo-perfcheck".to_owned(),
            target: "accuracy".to_owned(),
            executables: Paired::new(Some(executable(0)), Some(executable(planted))),
            criterion: Paired::new(Some(CRITERION), Some(CRITERION)),
            identity: Identity::Different("the planted change".to_owned()),
            function_diff: FunctionDiff::default(),
            benchmarks: vec![Benchmark {
                key: BenchmarkKey {
                    package: "cargo-perfcheck".to_owned(),
                    target: "accuracy".to_owned(),
                    id: name.to_owned(),
                },
                presence: Presence::Common,
                throughput: Paired::new(None, None),
                failure: None,
                reached: Reached::Unknown,
            }],
        }],
        skipped: Vec::new(),
        elsewhere: 0,
        notes: Vec::new(),
        last_words: Vec::new(),
    })
}
