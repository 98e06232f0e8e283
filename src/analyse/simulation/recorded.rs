//! Rounds that were recorded from real benchmarks, through the whole analysis.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;

/// One benchmark's rounds, in the order in which they were measured.
pub(super) struct Trace {
    /// The name of its file, without the extension.
    pub(super) name: String,
    rounds: Vec<Round>,
}

#[derive(Deserialize)]
struct RecordedRound {
    first: Side,
    pairing: Pairing,
    samples: Paired<RecordedSamples>,
}

#[derive(Deserialize)]
struct RecordedSamples {
    iterations: Vec<u64>,
    times: Vec<f64>,
    starts: Vec<u64>,
    #[serde(default)]
    preempted: Vec<u64>,
}

impl Trace {
    /// All of `fixtures/traces`.
    pub(super) fn all() -> Vec<Trace> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/traces");
        let mut paths: Vec<PathBuf> = fs_err::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Trace::read(path)).collect()
    }

    fn read(path: &Path) -> Trace {
        let text = fs_err::read_to_string(path).unwrap();
        let round = |line: &str| {
            let round: RecordedRound = serde_json::from_str(line).unwrap();
            Round {
                index: 0,
                first: round.first,
                pairing: round.pairing,
                samples: round.samples.map(|side| Samples {
                    iterations: side.iterations,
                    times: side.times,
                    starts: side.starts,
                    preempted: side.preempted,
                }),
            }
        };
        Trace {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            rounds: text.lines().map(round).collect(),
        }
    }

    /// Its rounds.
    pub(super) fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// A round that could equally well have been recorded: both sides are the same code in a random
    /// order, so they are exchangeable.
    pub(super) fn exchanged_at_random(&self, index: usize, noise: &mut Noise) -> Round {
        let drawn = (noise.uniform() * self.rounds.len() as f64) as usize;
        let mut round = self.rounds[drawn].clone();
        round.index = index;
        if noise.uniform() < 0.5 {
            std::mem::swap(&mut round.samples.base, &mut round.samples.head);
        }
        round
    }
}
