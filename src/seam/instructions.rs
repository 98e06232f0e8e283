//! Exact counts of the instructions that the timed regions of unmodified benchmarks execute.
//!
//! Valgrind runs the process, with its tool callgrind; the probe, preloaded into it, tells callgrind when a timed
//! region begins and ends (`probe/src/instructions.rs`). Criterion's warm-up is counted: it calls the benchmark with 1, 2, 4, 8 …
//! iterations. What two calls differ by is what the iterations between them execute, to the instruction.
//!
//! ```text
//! let seam = InstructionSeam::prepare(run_dir, executables, CountDetail::Totals)?;
//! // start `side` below `valgrind` with seam.arguments(side)?, and with seam.env(side); shake hands
//! seam.attached(side, pid)?;
//! let pace = seam.observe(side)?; // before each benchmark; the sides may run at the same time
//! // … at MeasurementComplete, or once the process stands still:
//! seam.take_calls(side)?;
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::callgrind::{self, Dump, ExecutedCode};
use super::channel::Room;
use super::warm_up::{Enough, Pace};
use super::{INSTRUCTION_PROBE, ProbeBuild, ProbedSubject, Seam, SeamError, Settings, layout};
use crate::harness::ReadOrder;
use crate::units::{Paired, Side};

/// Calls of a benchmark that are counted: 1, 2, 4 and 8 iterations.
const CALLS: u64 = 4;

/// No call begins that is counted once those before it have taken so long, below Valgrind and on the clock.
const COUNT_FOR: Duration = Duration::from_millis(250);

/// What callgrind is asked for so that it writes down the place of each instruction, by the linker's names.
const PLACES: [&str; 4] = [
    "--dump-instr=yes",
    "--compress-strings=no",
    "--compress-pos=no",
    "--demangle=no",
];

/// The seam of the pass that counts instructions.
#[derive(Debug)]
pub struct InstructionSeam {
    seam: Seam,
    detail: CountDetail,
}

/// How closely instructions are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountDetail {
    /// How many there are.
    Totals,
    /// How many there are at each address, and who called whom.
    Places,
}

/// What was counted of one benchmark in one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenCalls {
    /// How many instructions.
    pub instructions: CalledInstructions,
    /// Which ones, where that was asked for.
    pub code: Option<ExecutedCode>,
}

/// What the timed regions of the calls of one benchmark executed, in order: call i has 2^i iterations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CalledInstructions(Vec<u64>);

impl InstructionSeam {
    /// As [`Seam::prepare`].
    ///
    /// # Errors
    /// Where the probe cannot be preloaded, or the harness is not Criterion: see [`SeamError`].
    pub fn prepare(
        run_dir: &Path,
        executables: Paired<&Path>,
        detail: CountDetail,
    ) -> Result<InstructionSeam, SeamError> {
        let kind = ProbeBuild {
            probe: INSTRUCTION_PROBE,
            room: Room {
                record_words: layout::TIMING_WORDS,
                stacks: 0,
                statements: 0,
            },
            subject: ProbedSubject::Benchmarks,
        };
        let (seam, symbols) = Seam::of_kind(run_dir, executables, &Settings::default(), kind)?;
        let counted = |side: Side| symbols.get(side).clock_reads.order == ReadOrder::Criterion;
        if !Side::BOTH.into_iter().all(counted) {
            return Err(SeamError::NoDoubling);
        }
        Ok(InstructionSeam { seam, detail })
    }

    /// As [`Seam::env`].
    #[must_use]
    pub fn env(&self, side: Side) -> Vec<(OsString, OsString)> {
        self.seam.env(side)
    }

    /// As [`Seam::attached`].
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn attached(&self, side: Side, pid: u32) -> Result<bool, SeamError> {
        self.seam.attached(side, pid)
    }

    /// The arguments of Valgrind, which precede the command line of the benchmark; the user's own settings of Valgrind do
    /// not apply. `None` if the name of the file that it writes cannot be an argument.
    #[must_use]
    pub fn arguments(&self, side: Side) -> Option<Vec<String>> {
        // Valgrind puts something in the place of a percent sign.
        let counts = self.counts(side).to_str()?.replace('%', "%%");
        let fixed = [
            "--command-line-only=yes",
            "--tool=callgrind",
            "--quiet",
            "--vgdb=no",
            "--instr-atstart=no",
            "--dump-line=no",
        ];
        let places: &[&str] = match self.detail {
            CountDetail::Totals => &[],
            CountDetail::Places => &PLACES,
        };
        let all = fixed.iter().chain(places).map(|&option| option.to_owned());
        let file = format!("--callgrind-out-file={counts}");
        Some(all.chain([file]).collect())
    }

    /// Begins a benchmark of `side`, whose process is held. Tells how far it has come.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn observe(&self, side: Side) -> Result<Pace, SeamError> {
        let channel = self.seam.channels.get(side);
        channel.set(layout::COUNT_CALLS, CALLS)?;
        channel.set(layout::COUNT_FOR_NS, COUNT_FOR.as_nanos() as u64)?;
        let generation = channel.get(layout::GENERATION)? + 1;
        self.seam
            .start_side(side, layout::MODE_OBSERVE, generation)?;
        // The probe decides by itself when it is enough; this says that it may.
        self.seam.stop_after(side, Enough::Calls(u64::MAX))?;
        self.seam.pace(side)
    }

    /// What was counted of the benchmark that began last; the process of `side` is held or gone. `None` where the
    /// counts are not those of the calls that the probe saw.
    ///
    /// # Errors
    /// If the files of the seam cannot be read.
    pub fn take_calls(&self, side: Side) -> Result<Option<TakenCalls>, SeamError> {
        let channel = self.seam.channels.get(side);
        let generation = channel.get(layout::GENERATION)?;
        let dumps = self.take_dumps(side)?;
        let log = self.seam.take_log(side)?;
        let counted = usize::try_from(channel.get(layout::COUNTED_CALLS)?).unwrap_or(0);
        let calls = log.iter().take(counted).zip(1..);
        let calls = calls.map(|(sample, call)| {
            let regions = 0..sample.regions;
            let whole = regions.map(|region| dumps.get(&Dump::numbered(generation, call, region)));
            whole
                .collect::<Option<Vec<_>>>()
                .filter(|regions| !regions.is_empty())
        });
        let calls: Option<Vec<Vec<&RegionDumps>>> = calls.collect();
        let calls = calls.filter(|calls| calls.len() == counted && counted > 0);
        Ok(calls.map(|calls| self.taken(&calls)))
    }

    fn taken(&self, calls: &[Vec<&RegionDumps>]) -> TakenCalls {
        let counted = calls.iter().map(|regions| instructions(regions));
        TakenCalls {
            instructions: CalledInstructions(counted.collect()),
            code: match self.detail {
                CountDetail::Totals => None,
                CountDetail::Places => {
                    ExecutedCode::of_calls(calls.iter().map(|regions| texts(regions)))
                }
            },
        }
    }

    /// Where callgrind writes its counts, a number behind the name each time.
    fn counts(&self, side: Side) -> std::path::PathBuf {
        let folder = self.seam.folder.path();
        folder.join(format!("{side}.counts"))
    }

    /// Reads all counts of `side` and removes them. A region in which the clock was read has several.
    fn take_dumps(&self, side: Side) -> Result<BTreeMap<Dump, RegionDumps>, SeamError> {
        let name = format!("{side}.counts.");
        let mut dumps: BTreeMap<Dump, RegionDumps> = BTreeMap::new();
        for entry in fs_err::read_dir(self.seam.folder.path())? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with(&name) {
                continue;
            }
            let text = fs_err::read_to_string(entry.path())?;
            fs_err::remove_file(entry.path())?;
            if let Some((dump, instructions)) = callgrind::total(&text) {
                let region = dumps.entry(dump).or_default();
                region.instructions += instructions;
                region
                    .texts
                    .extend((self.detail == CountDetail::Places).then_some(text));
            }
        }
        Ok(dumps)
    }
}

impl CalledInstructions {
    /// From the counts of calls with 1, 2, 4 … iterations.
    #[must_use]
    pub fn of_doubling(calls: Vec<u64>) -> CalledInstructions {
        CalledInstructions(calls)
    }

    /// How many calls were counted.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.0.len()
    }

    /// Instructions per iteration as the first `calls` calls show them. From three calls on it is what the last one has more
    /// than the one before, for each iteration more: what a call costs however many iterations it has, and what happens
    /// once, falls out. With fewer it is the mean of the last call.
    #[must_use]
    pub fn per_iteration(&self, calls: usize) -> Option<f64> {
        let counted = self.0.get(..calls)?;
        let (last, before) = counted.split_last()?;
        let iterations = 2_f64.powi(i32::try_from(before.len()).ok()?);
        let more = before.last().and_then(|before| last.checked_sub(*before));
        Some(match more.filter(|_| calls >= 3) {
            Some(more) => more as f64 / (iterations / 2.0),
            None => *last as f64 / iterations,
        })
    }

    /// Whether all iterations execute the same, as far as the first `calls` calls show it.
    #[must_use]
    pub fn is_steady(&self, calls: usize) -> bool {
        let of = |calls: usize| self.per_iteration(calls);
        calls < 4 || of(calls) == of(calls - 1)
    }
}

/// What was written down of one region.
#[derive(Debug, Default)]
struct RegionDumps {
    instructions: u64,
    /// The dumps as they are, where places are asked for.
    texts: Vec<String>,
}

fn instructions(regions: &[&RegionDumps]) -> u64 {
    regions.iter().map(|region| region.instructions).sum()
}

fn texts<'a>(regions: &[&'a RegionDumps]) -> Vec<&'a str> {
    let texts = regions.iter().flat_map(|region| &region.texts);
    texts.map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_costs_whatever_its_iterations_falls_out_of_the_difference() {
        // 36 instructions an iteration, 200 a call, 5000 once.
        let calls: Vec<u64> = [1, 2, 4, 8].iter().map(|n| 36 * n + 200).collect();
        let mut counted = CalledInstructions::of_doubling(calls);
        counted.0[0] += 5000;
        assert_eq!(counted.per_iteration(4), Some(36.0));
        assert_eq!(counted.per_iteration(3), Some(36.0));
        assert!(counted.is_steady(4));
        assert_eq!(counted.per_iteration(2), Some(136.0));
        assert_eq!(counted.per_iteration(1), Some(5236.0));
        assert_eq!(counted.per_iteration(0), None);
        assert_eq!(counted.per_iteration(5), None);
    }

    #[test]
    fn iterations_that_do_not_all_execute_the_same_show() {
        let growing = CalledInstructions::of_doubling(vec![10, 30, 100, 360]);
        assert!(!growing.is_steady(4));
        assert_eq!(growing.per_iteration(4), Some(65.0));
        // Less than before: a mean, and no negative number.
        let odd = CalledInstructions::of_doubling(vec![900, 40, 30]);
        assert_eq!(odd.per_iteration(3), Some(7.5));
    }
}
