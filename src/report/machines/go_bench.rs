//! Go's benchmark text, for `benchstat -col side FILE`.
//!
//! <https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md>

use super::super::Report;
use super::super::escape::{shortened, visible};
use super::super::partial;
use crate::analyse::Comparison;
use crate::units::{Metric, Side};

/// Go's reader takes lines of up to 64 KiB.
const LONGEST_NAME: usize = 4096;

/// A line for each round: the round's median time of that side.
pub(in crate::report) fn render(report: &Report) -> String {
    let mut out = String::new();
    for side in Side::BOTH {
        let commit = match side {
            Side::Base => &report.range.base,
            Side::Head => &report.range.head,
        };
        out.push_str(&format!(
            "side: {side}\ncommit: {}\n",
            value(&commit.commit)
        ));
        out.push_str(&format!(
            "host: {}\ncpu: {}\n",
            value(&report.environment.host),
            value(&report.environment.machine.cpu)
        ));
        // The same line on both sides, so that no reader treats them as different configurations.
        if let Some(partial) = partial::sentence(report) {
            out.push_str(&format!("partial: {}\n", value(&partial)));
        }
        let mut package = None;
        for comparison in &report.benchmarks {
            let lines = lines(comparison, side);
            if lines.is_empty() {
                continue;
            }
            if package != Some(&comparison.key.package) {
                package = Some(&comparison.key.package);
                out.push_str(&format!("pkg: {}\n", value(&comparison.key.package)));
            }
            out.push_str(&lines);
        }
        out.push('\n');
    }
    out
}

fn lines(comparison: &Comparison, side: Side) -> String {
    let Some(time) = comparison.time() else {
        return String::new();
    };
    let name = name(comparison);
    let of = |metric| comparison.value(metric, side);
    let allocations = of(Metric::BYTES).zip(of(Metric::ALLOCATIONS));
    let allocations = allocations.map_or(String::new(), |(bytes, count)| {
        format!(" {bytes:.2} B/op {count:.2} allocs/op")
    });
    // The report does not keep the number of iterations; Go's readers require one but do not use it.
    let line = |ns: f64| format!("{name} 1 {ns:.4} ns/op{allocations}\n");
    if time.rounds.is_empty() {
        return of(Metric::TIME).map(line).unwrap_or_default();
    }
    let rounds = time.rounds.iter();
    rounds.map(|round| line(*round.value.get(side))).collect()
}

/// `BenchmarkCodec/parse/large`: one field, so nothing in it may count as white space.
fn name(comparison: &Comparison) -> String {
    let mut target = comparison.key.target.chars();
    let first: String = target
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    let name = visible(&format!("{first}{}/{}", target.as_str(), comparison.key.id));
    let field: String = name
        .chars()
        .map(|c| if c.is_whitespace() { '_' } else { c })
        .collect();
    format!("Benchmark{}", shortened(&field, LONGEST_NAME))
}

/// The value of a configuration line.
fn value(text: &str) -> String {
    shortened(&visible(text), LONGEST_NAME)
}
