//! A calibration as text.

use std::fmt::Write as _;

use crate::analyse::{CalibratedBenchmark, Calibration};

/// The maximum width of a benchmark's name; longer names lose their beginning, since ids differ at
/// their ends.
const NAME_WIDTH: usize = 44;

/// A table of noise, false alarms and power, one line per benchmark, and the advice. Shares are in
/// per cent of the base's time.
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
    for key in &calibration.without_interval {
        let name = shortened(&key.to_string());
        let _ = writeln!(
            text,
            "{name:NAME_WIDTH$}  failed, had too few rounds, or was not paired in all of them"
        );
    }
    let (wrong, all) = calibration.false_alarms();
    let _ = write!(
        text,
        "\nerror: 95th percentile of the distance between estimate and truth; spread: from process to\n\
         process; smallest: the smallest change seen with a power of 80 % after so many rounds\n\
         false alarms over all benchmarks: {wrong} of {all} (with 95 % confidence at most {})\n",
        percent(calibration.most_false_alarms())
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
    // Writing to a string cannot fail.
    let _ = match (benchmark.found, injected) {
        (Some(found), Some(share)) => write!(
            row,
            "  found {} in {found} of {}",
            percent(share),
            benchmark.comparisons
        ),
        (None, Some(_)) => write!(row, "  nothing could be injected"),
        (_, None) => Ok(()),
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Pairing;
    use crate::units::BenchmarkKey;

    fn key(id: &str) -> BenchmarkKey {
        BenchmarkKey {
            package: "shop".to_owned(),
            target: "prices".to_owned(),
            id: id.to_owned(),
        }
    }

    fn benchmark(id: &str, pairing: Pairing, found: Option<usize>) -> CalibratedBenchmark {
        CalibratedBenchmark {
            key: key(id),
            pairing: Some(pairing),
            comparisons: 5,
            noise_floor: 0.0012,
            round_spread: 0.0023,
            false_alarms: 0,
            found,
            inconclusive: 0,
            detectable: 0.0034,
            rounds: 9,
        }
    }

    #[test]
    fn each_benchmark_has_its_line_also_where_nothing_was_injected_or_nothing_came() {
        let text = calibration(&Calibration {
            repetitions: 5,
            injected: Some(0.01),
            benchmarks: vec![
                benchmark("sum", Pairing::Sample, Some(4)),
                benchmark("custom", Pairing::Benchmark, None),
            ],
            without_interval: vec![key("broken")],
            advice: vec!["the budget suffices".to_owned()],
        });
        let expected = "\
one executable compared with 1.00 % added to the head side, 5 times

benchmark                                        error    spread    pairing  false alarms  smallest  rounds
shop::prices sum                                0.12 %    0.23 %     sample        0 of 5    0.34 %       9  found 1.00 % in 4 of 5
shop::prices custom                             0.12 %    0.23 %  benchmark        0 of 5    0.34 %       9  nothing could be injected
shop::prices broken                           failed, had too few rounds, or was not paired in all of them

error: 95th percentile of the distance between estimate and truth; spread: from process to
process; smallest: the smallest change seen with a power of 80 % after so many rounds
false alarms over all benchmarks: 0 of 10 (with 95 % confidence at most 25.9 %)
advice: the budget suffices
";
        assert_eq!(text, expected);
    }
}
