//! A calibration as text.

use std::fmt::Write as _;

use crate::analyse::{CalibratedBenchmark, Calibration};

/// The widest a benchmark's name is shown; longer ones lose their beginning, since ids differ at
/// their ends.
const NAME_WIDTH: usize = 44;

/// A table of noise, false alarms and power, a line a benchmark, and the advice. Shares are in per
/// cent of the base's time.
#[must_use]
pub fn calibration(calibration: &Calibration) -> String {
    let mut text = String::new();
    let what = match calibration.injected {
        Some(share) => format!("with {} added to the head side", percent(share)),
        None => "with itself".to_owned(),
    };
    let times = calibration.repetitions;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "one executable compared {what}, {times} times\n");
    let _ = writeln!(
        text,
        "{:NAME_WIDTH$}  {:>8}  {:>8}  {:>9}  {:>12}  {:>7}  {:>6}",
        "benchmark", "error", "spread", "pairing", "false alarms", "smallest", "rounds"
    );
    for benchmark in &calibration.benchmarks {
        let _ = writeln!(text, "{}", row(benchmark, calibration.injected));
    }
    let _ = write!(
        text,
        "\nerror: 95th percentile of the distance between estimate and truth; spread: from process to\n\
         process; smallest: the smallest change seen with a power of 80 % at this budget\n\
         false alarms over all benchmarks: {}\n",
        percent(calibration.false_alarm_rate())
    );
    for advice in &calibration.advice {
        let _ = writeln!(text, "advice: {advice}");
    }
    text
}

fn row(benchmark: &CalibratedBenchmark, injected: Option<f64>) -> String {
    let name = shortened(&benchmark.key.to_string());
    let pairing = benchmark.pairing.map_or("-", |pairing| match pairing {
        crate::measure::Pairing::Sample => "sample",
        crate::measure::Pairing::Benchmark => "benchmark",
    });
    let alarms = format!("{} of {}", benchmark.false_alarms, benchmark.comparisons);
    let mut row = format!(
        "{name:NAME_WIDTH$}  {:>8}  {:>8}  {pairing:>9}  {alarms:>12}  {:>8}  {:>6}",
        percent(benchmark.noise_floor),
        percent(benchmark.round_spread),
        percent(benchmark.detectable),
        benchmark.rounds,
    );
    if let (Some(found), Some(share)) = (benchmark.found, injected) {
        let _ = write!(
            row,
            "  found {} in {found} of {}",
            percent(share),
            benchmark.comparisons
        );
    }
    row
}

fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME_WIDTH {
        return name.to_owned();
    }
    let tail: String = name.chars().skip(length - NAME_WIDTH + 1).collect();
    format!("…{tail}")
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = if percent.abs() < 10.0 { 2 } else { 1 };
    format!("{percent:.decimals$} %")
}
