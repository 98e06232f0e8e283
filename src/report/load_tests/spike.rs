//! How each side of a service recovers from a spike of the load.

use super::{
    PlotPoint, PlotUnits, TestDetail, TestPlot, TestSection, TestTable, counted, gave_out, middle,
    range, rate,
};
use crate::report::words::{Naming, plural};
use crate::service::{SpikeCourse, SpikeEnd, SpikeResult};
use crate::units::{Paired, Side, Unit};

/// So many rows tell how a round went.
const ROWS: usize = 40;

pub(super) fn section(result: &SpikeResult, naming: Naming) -> TestSection {
    let ends = Side::BOTH.map(|side| {
        let courses = result.rounds.iter().map(|round| round.get(side));
        let told = courses.filter_map(|course| match course.end {
            SpikeEnd::Recovered { .. } => None,
            SpikeEnd::NotRecovered { windows } => {
                let watched = time(result, windows as f64);
                Some(format!("not as before within {watched} after the spike"))
            }
            SpikeEnd::Generator { because } => Some(gave_out(because).to_owned()),
        });
        let told = counted(told, result.rounds.len());
        (!told.is_empty()).then(|| format!("{side}: {told}"))
    });
    TestSection {
        subject: naming.name(&result.key),
        what: format!(
            "a spike from {} to {} for {}, in {}",
            rate(result.rate),
            rate(result.high),
            time(result, SpikeResult::WINDOWS as f64),
            plural(result.rounds.len(), "round", "rounds")
        ),
        table: TestTable {
            headings: vec![
                "",
                "as before after",
                "rounds from … to",
                "lost",
                "latency before",
                "highest",
            ],
            rows: Side::BOTH.map(|side| row(result, side)).to_vec(),
        },
        remarks: ends.into_iter().flatten().collect(),
        detail: result.rounds.first().map(|round| timeline(result, round)),
        plot: result.rounds.first().map(|round| curve(result, round)),
    }
}

/// So many windows as a time.
fn time(result: &SpikeResult, windows: f64) -> String {
    let nanos = 1e9 * result.window_seconds * windows;
    Unit::Nanoseconds.show_typed(nanos)
}

fn row(result: &SpikeResult, side: Side) -> Vec<String> {
    let courses = || result.rounds.iter().map(|round| round.get(side));
    let window = 1e9 * result.window_seconds;
    let sorted = |values: Vec<f64>| {
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values
    };
    let back = courses().filter_map(|course| match course.end {
        SpikeEnd::Recovered { windows } => Some(window * windows as f64),
        _ => None,
    });
    let back = sorted(back.collect());
    let before = sorted(courses().map(|course| course.before_ns).collect());
    let highest = courses().flat_map(|course| course.latencies_ns.iter().flatten().copied());
    let highest = highest.fold(0.0, f64::max);
    let (lost, of) = courses().fold((0, 0), |(lost, of), course: &SpikeCourse| {
        (lost + course.lost, of + course.of)
    });
    let show = |nanos: f64| Unit::Nanoseconds.show(nanos);
    vec![
        side.name().to_owned(),
        match back.get(back.len() / 2) {
            Some(middle) => show(*middle),
            None => "not known".to_owned(),
        },
        range(&back, Unit::Nanoseconds),
        format!("{lost} of {of}"),
        middle(&before).map(show).unwrap_or_default(),
        show(highest),
    ]
}

/// The latencies of a round over time, from shortly before the spike.
fn timeline(result: &SpikeResult, round: &Paired<SpikeCourse>) -> TestDetail {
    let windows = Side::BOTH.map(|side| round.get(side).latencies_ns.len());
    let begin = SpikeResult::WINDOWS - SpikeResult::WINDOWS / 4;
    let count = windows.into_iter().max().unwrap_or(0);
    let step = count.saturating_sub(begin).div_ceil(ROWS).max(1);
    let row = |at: usize| {
        let latency = |side| {
            let latency = round.get(side).latencies_ns.get(at).copied().flatten();
            latency.map_or_else(String::new, |latency| Unit::Nanoseconds.show(latency))
        };
        let since = (at as f64 - SpikeResult::WINDOWS as f64) * result.window_seconds;
        vec![
            format!("{since:.2} s"),
            latency(Side::Base),
            latency(Side::Head),
        ]
    };
    TestDetail {
        title: format!(
            "{} over time since the beginning of the first spike",
            result.percentile
        ),
        table: TestTable {
            headings: vec!["", "base", "head"],
            rows: (begin..count).step_by(step).map(row).collect(),
        },
    }
}

/// The same as a curve, from the first window on.
fn curve(result: &SpikeResult, round: &Paired<SpikeCourse>) -> TestPlot {
    let window = 1e9 * result.window_seconds;
    let curves = round.as_ref().map(|course| {
        let latencies = course.latencies_ns.iter().enumerate();
        let points = latencies.filter_map(|(at, latency)| {
            Some(PlotPoint {
                across: at as f64 * window,
                up: (*latency)?,
            })
        });
        points.collect()
    });
    TestPlot {
        title: format!("{} over time, in the first round", result.percentile),
        units: PlotUnits {
            across: Unit::Nanoseconds,
            up: Unit::Nanoseconds,
        },
        curves,
    }
}
