//! Which question each procedure is asked, how often, and in which order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Options;

/// How a change is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Procedure {
    /// Criterion's baselines with its default settings.
    ClassicDefaults,
    /// Criterion's baselines, with as much measuring time per side as perfcheck.
    ClassicEqualTime,
    /// The same at perfcheck's significance level.
    ClassicStrict,
    /// Ours.
    Perfcheck,
    /// perfcheck, with the sides taking turns by benchmark rather than by sample.
    PerfcheckByBenchmark,
}

impl fmt::Display for Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Procedure::ClassicDefaults => "classic, defaults",
            Procedure::ClassicEqualTime => "classic, equal time",
            Procedure::ClassicStrict => "classic, equal time, 1 %",
            Procedure::Perfcheck => "perfcheck",
            Procedure::PerfcheckByBenchmark => "perfcheck, by benchmark",
        })
    }
}

/// One comparison that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The procedure.
    pub(crate) procedure: Procedure,
    /// The benchmark.
    pub(crate) name: String,
    /// The change on the head side, in ten-thousandths.
    pub(crate) planted: u32,
    /// How often this has been asked before.
    pub(crate) trial: u64,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = f64::from(self.planted) / 100.0;
        write!(f, "{} {percent} %, {}", self.name, self.procedure)
    }
}

/// All questions. Each is spread evenly over the whole, so that the procedures see the same machine,
/// and a run that is stopped early has asked everything in proportion.
pub(crate) fn agenda(options: &Options, names: &[&str]) -> Vec<Question> {
    let mut questions = Vec::new();
    for &name in names {
        for percent in &options.changes {
            let planted = (percent * 100.0).round() as u32;
            for (procedure, trials) in trials(options, name, planted) {
                questions.extend((0..trials).map(|trial| {
                    let question = Question {
                        procedure,
                        name: name.to_owned(),
                        planted,
                        trial: trial as u64,
                    };
                    ((trial as f64 + 0.5) / trials as f64, question)
                }));
            }
        }
    }
    // A stable sort: questions that are asked equally often stay side by side.
    questions.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    questions
        .into_iter()
        .map(|(_, question)| question)
        .collect()
}

/// How often each procedure is asked.
fn trials(options: &Options, name: &str, planted: u32) -> [(Procedure, usize); 5] {
    let [defaults, equal_time, strict, by_benchmark, ours] = if options.claims {
        claims(name, planted)
    } else {
        let others = options.others_trials.unwrap_or(options.trials);
        let when = |asked: bool| if asked { others } else { 0 };
        [
            when(options.classic_default),
            when(!options.ours_only),
            when(options.classic_strict),
            when(options.pairing_benchmark),
            options.trials,
        ]
    };
    [
        (Procedure::ClassicDefaults, defaults),
        (Procedure::ClassicEqualTime, equal_time),
        (Procedure::ClassicStrict, strict),
        (Procedure::PerfcheckByBenchmark, by_benchmark),
        (Procedure::Perfcheck, ours),
    ]
}

/// What the claims need: over 300 comparisons of identical code (no alarm among 299 bounds
/// their share by 1 % at 95 % confidence), 100 of 1 % on `compute`, and of the rest what there is time for.
fn claims(name: &str, planted: u32) -> [usize; 5] {
    match (name, planted) {
        ("compute", 0) => [6, 20, 0, 10, 44],
        ("compute", 100) => [6, 20, 0, 10, 100],
        // Its setup takes long.
        ("memory", 0) => [3, 6, 0, 3, 38],
        (_, 0) => [3, 6, 0, 3, 44],
        _ => [0, 5, 0, 0, 5],
    }
}
