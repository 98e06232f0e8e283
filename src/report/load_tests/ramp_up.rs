//! At which rate each side of a service breaks.

use super::{
    PlotPoint, PlotUnits, TestDetail, TestPlot, TestSection, TestTable, counted, gave_out, middle,
    range, rate,
};
use crate::load_generator::Percentile;
use crate::report::escape::visible;
use crate::report::words::{self, Naming, plural};
use crate::service::{BreakReason, RampUpCourse, RampUpEnd, RampUpResult, RampUpStep};
use crate::units::{Paired, Side, Unit};

pub(super) fn section(result: &RampUpResult, naming: Naming) -> TestSection {
    let rows = Side::BOTH.map(|side| {
        let courses: Vec<&RampUpCourse> =
            result.rounds.iter().map(|round| round.get(side)).collect();
        let mut points: Vec<f64> = courses.iter().filter_map(|one| one.end.point()).collect();
        points.sort_by(f64::total_cmp);
        vec![
            side.name().to_owned(),
            middle(&points).map_or_else(|| "not known".to_owned(), rate),
            range(&points, Unit::RequestsPerSecond),
        ]
    });
    let because = Side::BOTH.map(|side| {
        let courses = result.rounds.iter().map(|round| round.get(side));
        format!(
            "{side}: {}",
            broken_by(&courses.collect::<Vec<_>>(), result)
        )
    });
    let deaths = Side::BOTH.map(|side| death(result, side));
    TestSection {
        subject: naming.name(&result.key),
        what: format!(
            "the rate at which each side breaks, in {}",
            plural(result.rounds.len(), "round", "rounds")
        ),
        table: TestTable {
            headings: vec!["", "breaks at", "rounds from … to"],
            rows: rows.to_vec(),
        },
        remarks: because
            .into_iter()
            .chain(deaths.into_iter().flatten())
            .collect(),
        detail: result.rounds.first().map(steps),
        plot: result.rounds.first().map(curve),
    }
}

/// Why a side broke, and how often for each reason; why it did not, in other rounds.
fn broken_by(courses: &[&RampUpCourse], result: &RampUpResult) -> String {
    let told = courses.iter().flat_map(|course| match &course.end {
        RampUpEnd::Broke { because, .. } => because
            .iter()
            .map(|reason| broke(*reason, result))
            .collect(),
        RampUpEnd::Unbroken { .. } => vec!["it held every rate that can be sent".to_owned()],
        RampUpEnd::Generator { because } => vec![gave_out(*because).to_owned()],
        RampUpEnd::TooSlow { .. } | RampUpEnd::Unclear => vec![unclear(course, result)],
    });
    counted(told, courses.len())
}

/// Why a side has no breaking point although everything could be sent.
fn unclear(course: &RampUpCourse, result: &RampUpResult) -> String {
    let too_slow = match course.end {
        RampUpEnd::TooSlow { rate: slow } => Some(format!(
            "at {} a step has too few requests: raise `step` of the ramp-up",
            rate(slow)
        )),
        _ => None,
    };
    let lowest = course.lowest().filter(|_| course.never_held());
    let Some(lowest) = lowest else {
        let why = too_slow.unwrap_or_else(|| {
            "rates that held and rates that broke contradict one another".to_owned()
        });
        return format!("not known, since {why}");
    };
    let reasons = lowest.broken.iter().map(|reason| broke(*reason, result));
    let reasons = reasons.collect::<Vec<_>>().join(" and ");
    let hint = match lowest.broken.contains(&BreakReason::Slow) {
        true => ": raise `p99` of the ramp-up",
        false => "",
    };
    let lower = too_slow.map_or_else(String::new, |why| format!("; {why}"));
    format!(
        "not known, since no rate held; at {} {reasons}{hint}{lower}",
        rate(lowest.rate)
    )
}

fn broke(reason: BreakReason, result: &RampUpResult) -> String {
    match reason {
        BreakReason::Died => "it died".to_owned(),
        BreakReason::Errors => {
            let most = words::share(result.errors);
            format!("more than {most} of the requests failed")
        }
        BreakReason::Behind => {
            let fewest = words::share(result.achieved);
            format!("less than {fewest} was answered in time")
        }
        BreakReason::Processors => {
            "no processor was left for it and the load generator together".to_owned()
        }
        BreakReason::Slow => {
            let percentile = result.percentile.unwrap_or(Percentile::P99);
            let most = Unit::Nanoseconds.show_typed(result.p99_ns);
            format!("{percentile} above {most}")
        }
    }
}

/// How a side died under load, if it did.
fn death(result: &RampUpResult, side: Side) -> Option<String> {
    let mut ends = result.rounds.iter().map(|round| &round.get(side).end);
    let death = ends.find_map(|end| match end {
        RampUpEnd::Broke {
            death: Some(death), ..
        } => Some(death),
        _ => None,
    })?;
    let last = death.stderr_tail.lines().last();
    let last = last.map_or_else(String::new, |line| format!("; it said: {}", visible(line)));
    Some(format!("{side} {}{last}", visible(&death.reason)))
}

/// The steps of a round, by their rate.
fn steps(round: &Paired<RampUpCourse>) -> TestDetail {
    let of_side = |side: Side| {
        let mut steps: Vec<&RampUpStep> = round.get(side).steps.iter().collect();
        steps.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let row = move |step: &RampUpStep| {
            let latency = step.latency_ns.map_or_else(String::new, |latency| {
                format!("{} {}", step.percentile, Unit::Nanoseconds.show(latency))
            });
            vec![
                side.name().to_owned(),
                rate(step.rate),
                rate(step.achieved),
                latency,
                words::share((step.errors * 1e4).round() / 1e4),
                match step.broken.is_empty() {
                    true => "held".to_owned(),
                    false => "broke".to_owned(),
                },
            ]
        };
        steps.into_iter().map(row).collect::<Vec<_>>()
    };
    TestDetail {
        title: "steps of the first round".to_owned(),
        table: TestTable {
            headings: vec!["", "offered", "answered", "latency", "failed", ""],
            rows: Side::BOTH.into_iter().flat_map(of_side).collect(),
        },
    }
}

/// The latency of each side by the rate that was offered.
fn curve(round: &Paired<RampUpCourse>) -> TestPlot {
    let curves = round.as_ref().map(|course| {
        let points = course.steps.iter().filter_map(|step| {
            Some(PlotPoint {
                across: step.rate,
                up: step.latency_ns?,
            })
        });
        let mut points: Vec<PlotPoint> = points.collect();
        points.sort_by(|a, b| a.across.total_cmp(&b.across));
        points
    });
    TestPlot {
        title: "latency by the offered rate, in the first round".to_owned(),
        units: PlotUnits {
            across: Unit::RequestsPerSecond,
            up: Unit::Nanoseconds,
        },
        curves,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::BenchmarkKey;

    fn course(broken: &[BreakReason]) -> RampUpCourse {
        let step = |rate| RampUpStep {
            rate,
            achieved: rate,
            percentile: Percentile::P50,
            latency_ns: Some(2e8),
            errors: 0.0,
            broken: broken.to_vec(),
        };
        RampUpCourse {
            steps: vec![step(20.0), step(10.0)],
            end: RampUpEnd::Unclear,
        }
    }

    #[test]
    fn a_side_that_never_holds_has_the_reason_of_its_lowest_rate_and_a_hint() {
        let result = RampUpResult {
            key: BenchmarkKey::new("p", "service", "api/ramp-up"),
            p99_ns: 1e8,
            percentile: Some(Percentile::P50),
            errors: 0.01,
            achieved: 0.95,
            rounds: Vec::new(),
        };
        let slow = broken_by(&[&course(&[BreakReason::Slow])], &result);
        assert!(slow.contains("no rate held; at 10"), "{slow}");
        assert!(slow.ends_with("raise `p99` of the ramp-up"), "{slow}");
        let behind = broken_by(&[&course(&[BreakReason::Behind])], &result);
        assert!(!behind.contains("raise"), "{behind}");
        let unsteady = broken_by(&[&course(&[])], &result);
        assert!(unsteady.contains("contradict one another"), "{unsteady}");
        let few = RampUpCourse {
            end: RampUpEnd::TooSlow { rate: 8.0 },
            ..course(&[BreakReason::Slow])
        };
        let few = broken_by(&[&few], &result);
        assert!(few.contains("p50 above 100 ms"), "{few}");
        assert!(few.ends_with("raise `step` of the ramp-up"), "{few}");
    }
}
