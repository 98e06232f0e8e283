//! How often programs are accused, and how far estimates are from the truth: perfcheck beside hyperfine in the same time, on
//! the same work and with planted changes of 1, 2 and 5 %.
//!
//! ```console
//! $ cargo install hyperfine --locked
//! $ cargo bench --bench programs -- --runs 30
//! $ cargo bench --bench programs -- --runs 2 --lengths 2,20 --changes 0,50
//! ```
//!
//! Lengths are in milliseconds, changes in thousandths. Where hyperfine is not installed, all runs of one program come before
//! all of the other, by hand.

#![expect(clippy::print_stdout, reason = "a table for a person")]

mod procedures;
mod subject;

use std::time::Duration;

use cargo_perfcheck::stats::percentile;

use procedures::{Answer, Question};
use subject::Subject;

fn main() {
    let runs = numbers("--runs", &[10])[0].max(1) as usize;
    let lengths = numbers("--lengths", &[2, 20, 200, 2000]);
    let changes = numbers("--changes", &[0, 10, 20, 50]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let subject = Subject::new(folder.path(), &changes);
    let other = match procedures::is_installed() {
        true => "hyperfine",
        false => "one after the other",
    };
    println!(
        "| work | planted | perfcheck: error | accused | {other}: error | accused | time of each |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    for length in lengths
        .iter()
        .map(|ms| Duration::from_millis(u64::from(*ms)))
    {
        for change in &changes {
            let mut pairs = Tally::default();
            let mut others = Tally::default();
            for seed in 0..runs {
                let question = Question {
                    subject: &subject,
                    length,
                    change: *change,
                    seed,
                };
                let ours = procedures::perfcheck(folder.path(), question);
                let other = procedures::hyperfine(folder.path(), question, ours.took)
                    .unwrap_or_else(|| procedures::sequential(question, ours.took));
                let truth = subject.truth(length, *change);
                pairs.add(&ours, truth);
                others.add(&other, truth);
            }
            println!(
                "| {} ms | {:.1} % | {} | {} | {:.1} s and {:.1} s |",
                length.as_millis(),
                f64::from(*change) / 10.0,
                pairs.row(),
                others.row(),
                pairs.seconds / runs as f64,
                others.seconds / runs as f64
            );
        }
    }
    println!(
        "\nerror: 95th percentile of the distance of the estimate from the truth; accused: a verdict of perfcheck's (95 %, beyond 1 %), \
         or an interval of the means without zero (95 %)"
    );
}

/// What answers add up to.
#[derive(Default)]
struct Tally {
    errors: Vec<f64>,
    accused: usize,
    seconds: f64,
}

impl Tally {
    fn add(&mut self, answer: &Answer, truth: f64) {
        self.errors.push((answer.ln_ratio - truth).abs());
        self.accused += usize::from(answer.is_accused);
        self.seconds += answer.took.as_secs_f64();
    }

    /// `0.31 % | 2 of 30`.
    fn row(&self) -> String {
        let mut errors = self.errors.clone();
        errors.sort_by(f64::total_cmp);
        let error = percentile(&errors, 0.95) * 100.0;
        format!("{error:.2} % | {} of {}", self.accused, errors.len())
    }
}

/// The numbers behind a word of the command line.
fn numbers(word: &str, usual: &[u32]) -> Vec<u32> {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|one| one == word);
    let typed = at.and_then(|at| words.get(at + 1));
    let read = typed.map(|typed| {
        let numbers = typed.split(',').map(|number| number.parse());
        numbers.collect::<Result<Vec<u32>, _>>().expect("numbers")
    });
    read.filter(|numbers| !numbers.is_empty())
        .unwrap_or_else(|| usual.to_vec())
}
