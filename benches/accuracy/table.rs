//! Answers, summarised.

use std::collections::BTreeMap;
use std::fmt;

use cargo_perfcheck::stats::{binomial_bounds, percentile};

use crate::agenda::{Procedure, Question};
use crate::{Answer, Direction, subject};

/// All answers, by benchmark (its place in the list), planted change (in ten-thousandths) and procedure.
#[derive(Default)]
pub(crate) struct Table {
    answers: BTreeMap<(usize, u32, Procedure), Vec<Answer>>,
}

impl Table {
    pub(crate) fn add(&mut self, question: &Question, answer: Answer) {
        let place = subject::NAMES.iter().position(|n| *n == question.name);
        let key = (
            place.unwrap_or(usize::MAX),
            question.planted,
            question.procedure,
        );
        self.answers.entry(key).or_default().push(answer);
    }

    /// What the table says about the claims, in sentences.
    pub(crate) fn summary(&self) -> Vec<String> {
        let mut lines = self.alarms();
        lines.extend(self.detections());
        lines.extend(self.ratios());
        lines
    }

    /// For each procedure, how often it found a difference where there was none, over all benchmarks.
    fn alarms(&self) -> Vec<String> {
        let mut counts: BTreeMap<Procedure, [usize; 3]> = BTreeMap::new();
        for ((_, _, procedure), answers) in self.answers.iter().filter(|((_, p, _), _)| *p == 0) {
            let [all, found, verdict] = counts.entry(*procedure).or_default();
            *all += answers.len();
            *found += answers.iter().filter(|a| a.found.is_some()).count();
            *verdict += answers.iter().filter(|a| a.verdict.is_some()).count();
        }
        let line = |(procedure, [all, found, verdict]): (&Procedure, &[usize; 3])| {
            format!(
                "{procedure}: of {all} comparisons of identical code {found} found a difference \
                 ({}), {verdict} gave a verdict of one ({})",
                share(*found, *all),
                share(*verdict, *all),
            )
        };
        counts.iter().map(line).collect()
    }

    /// For each planted change on `compute`, how often ours found it.
    fn detections(&self) -> Vec<String> {
        let ours = self
            .answers
            .iter()
            .filter(|((place, planted, procedure), _)| {
                subject::NAMES.get(*place) == Some(&"compute")
                    && *planted > 0
                    && *procedure == Procedure::Perfcheck
            });
        ours.map(|((_, planted, _), answers)| {
            let found = answers.iter().filter(|a| right(*planted, a.found)).count();
            format!(
                "perfcheck: {} % on compute found in {found} of {} ({})",
                percent(*planted),
                answers.len(),
                share(found, answers.len())
            )
        })
        .collect()
    }

    /// How many times smaller our error is than the classic procedure's at equal time.
    fn ratios(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (&(place, planted, procedure), answers) in &self.answers {
            if procedure != Procedure::ClassicEqualTime {
                continue;
            }
            let Some(ours) = self.answers.get(&(place, planted, Procedure::Perfcheck)) else {
                continue;
            };
            let (classic, ours) = (errors(planted, answers), errors(planted, ours));
            let times = |p: f64| percentile(&classic, p) / percentile(&ours, p);
            lines.push(format!(
                "{} {} %: the error is {:.1} times smaller at the 95th percentile, {:.1} times at the \
                 median",
                subject::NAMES.get(place).unwrap_or(&"?"),
                percent(planted),
                times(0.95),
                times(0.5),
            ));
        }
        lines
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| benchmark | planted | procedure | trials | difference found | wrongly | verdict | \
             error p95 | error median | seconds |\n|---|---:|---|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        for ((place, planted, procedure), answers) in &self.answers {
            let count = |test: &dyn Fn(&Answer) -> bool| answers.iter().filter(|a| test(a)).count();
            let errors = errors(*planted, answers);
            let seconds: f64 = answers.iter().map(|a| a.seconds).sum();
            writeln!(
                f,
                "| {} | {} % | {procedure} | {} | {} | {} | {} | {:.2} % | {:.2} % | {:.1} |",
                subject::NAMES.get(*place).unwrap_or(&"?"),
                percent(*planted),
                answers.len(),
                count(&|a| right(*planted, a.found)),
                count(&|a| a.found.is_some() && !right(*planted, a.found)),
                count(&|a| a.verdict.is_some()),
                100.0 * percentile(&errors, 0.95),
                100.0 * percentile(&errors, 0.5),
                seconds / answers.len() as f64,
            )?;
        }
        Ok(())
    }
}

fn percent(planted: u32) -> f64 {
    f64::from(planted) / 100.0
}

/// Whether the answer is right: the change exists and has this direction.
fn right(planted: u32, said: Option<Direction>) -> bool {
    planted > 0 && said == Some(Direction::Slower)
}

/// The distances of the estimates from the truth, in ascending order.
fn errors(planted: u32, answers: &[Answer]) -> Vec<f64> {
    let truth = f64::from(planted) / 10_000.0;
    let mut errors: Vec<f64> = answers.iter().map(|a| (a.change - truth).abs()).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

/// Bounds for the true share, each at 95 % confidence.
fn share(hits: usize, of: usize) -> String {
    let (lower, upper) = binomial_bounds(hits, of, 0.05);
    format!("{:.1} to {:.1} %", 100.0 * lower, 100.0 * upper)
}
