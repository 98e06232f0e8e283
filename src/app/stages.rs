//! How long each stage of a run took.

use std::time::{Duration, Instant};

use crate::report::StageTiming;

/// Where the time goes.
pub(super) struct Stages {
    began: Instant,
    since: Instant,
    pub(super) timings: Vec<StageTiming>,
}

impl Stages {
    pub(super) fn begin() -> Stages {
        let now = Instant::now();
        Stages {
            began: now,
            since: now,
            timings: Vec::new(),
        }
    }

    /// When the run began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn end(&mut self, stage: &str) {
        let took: Duration = self.since.elapsed();
        self.since = Instant::now();
        self.timings.push(StageTiming {
            stage: stage.to_owned(),
            seconds: took.as_secs_f64(),
        });
    }

    /// A part of a stage that is over.
    pub(super) fn within(&mut self, stage: &str, part: &str, took: Duration) {
        self.timings.push(StageTiming {
            stage: format!("{stage} ({part})"),
            seconds: took.as_secs_f64(),
        });
    }
}
