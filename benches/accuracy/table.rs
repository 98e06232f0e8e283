//! Answers, summarised.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Answer, Direction};

/// All answers, by benchmark, planted change (in ten-thousandths) and procedure.
#[derive(Default)]
pub(crate) struct Table {
    answers: BTreeMap<(&'static str, u32, &'static str), Vec<Answer>>,
}

impl Table {
    pub(crate) fn add(
        &mut self,
        procedure: &'static str,
        name: &str,
        percent: f64,
        answer: Answer,
    ) {
        let name = crate::subject::NAMES
            .into_iter()
            .find(|known| *known == name)
            .unwrap_or("?");
        let planted = (percent * 100.0).round() as u32;
        self.answers
            .entry((name, planted, procedure))
            .or_default()
            .push(answer);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| benchmark | planted | procedure | trials | difference found | wrongly | verdict | \
             error p95 | error median | seconds |\n|---|---:|---|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        for ((name, planted, procedure), answers) in &self.answers {
            let truth = f64::from(*planted) / 10_000.0;
            let right = |said: Option<Direction>| *planted > 0 && said == Some(Direction::Slower);
            let wrong = |said: Option<Direction>| said.is_some() && !right(said);
            let count = |test: &dyn Fn(&Answer) -> bool| answers.iter().filter(|a| test(a)).count();
            let mut errors: Vec<f64> = answers.iter().map(|a| (a.change - truth).abs()).collect();
            errors.sort_by(f64::total_cmp);
            let at = |p: f64| 100.0 * cargo_perfcheck::stats::percentile(&errors, p);
            let seconds: f64 = answers.iter().map(|a| a.seconds).sum();
            writeln!(
                f,
                "| {name} | {} % | {procedure} | {} | {} | {} | {} | {:.2} % | {:.2} % | {:.1} |",
                truth * 100.0,
                answers.len(),
                count(&|a| right(a.found)),
                count(&|a| wrong(a.found)),
                count(&|a| a.verdict.is_some()),
                at(0.95),
                at(0.5),
                seconds / answers.len() as f64,
            )?;
        }
        Ok(())
    }
}

impl Table {
    /// Of each procedure, how often it found a difference where there was none, over all benchmarks.
    pub(crate) fn false_alarms(&self) -> Vec<String> {
        let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for ((_, planted, procedure), answers) in &self.answers {
            if *planted == 0 {
                let [all, found, verdict] = counts.entry(procedure).or_default();
                *all += answers.len();
                *found += answers.iter().filter(|a| a.found.is_some()).count();
                *verdict += answers.iter().filter(|a| a.verdict.is_some()).count();
            }
        }
        let counts = counts.into_iter();
        counts
            .map(|(procedure, [all, found, verdict])| {
                format!(
                    "{procedure}: of {all} comparisons of identical code {found} found a difference, {verdict} \
                     gave a verdict of one"
                )
            })
            .collect()
    }
}
