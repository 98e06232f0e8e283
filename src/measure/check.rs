//! Whether a report can be used, and what the reader should know about it.

use std::time::Duration;

use crate::harness::{BenchmarkConfig, Timing};
use crate::units::Paired;

use super::Samples;
use super::iterations::LeftAlone;
use super::reported::SideReport;

/// The report as samples.
///
/// # Errors
/// Why it cannot be used, as a lower-case fragment.
pub(super) fn samples(report: &SideReport) -> Result<Samples, String> {
    if report.times.is_empty() || report.times.len() != report.iterations.len() {
        return Err(format!(
            "reported {} times for {} samples",
            report.times.len(),
            report.iterations.len()
        ));
    }
    if let Some(time) = report
        .times
        .iter()
        .find(|time| !(time.is_finite() && **time > 0.0))
    {
        return Err(format!(
            "reported a sample that took {time} ns; an `iter_custom` routine must return the time \
             of all its iterations"
        ));
    }
    if let Some(count) = report
        .iterations
        .iter()
        .find(|count| count.is_nan() || **count < 1.0)
    {
        return Err(format!("reported a sample of {count} iterations"));
    }
    Ok(Samples {
        iterations: report
            .iterations
            .iter()
            .map(|count| *count as u64)
            .collect(),
        times: report.times.clone(),
        starts: Vec::new(),
        preempted: Vec::new(),
    })
}

/// What the reader should know: settings that differ from the requested ones, or between the sides,
/// and a measurement of something other than time.
pub(super) fn notes(
    asked: Timing,
    reports: &Paired<Option<SideReport>>,
    left_alone: Option<LeftAlone>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let configs = reports
        .as_ref()
        .map(|report| report.as_ref().map(|report| &report.config));
    if let (Some(base), Some(head)) = (configs.base, configs.head)
        && settings(base) != settings(head)
    {
        notes.push(format!(
            "its settings differ between the sides: {} (base), {} (head)",
            describe(base),
            describe(head)
        ));
    } else if let Some(config) = configs.head.or(configs.base)
        && settings(config) != (asked.sample_size as u64, asked.warm_up, asked.measurement)
    {
        let own = format!("its code has its own settings: {}", describe(config));
        notes.push(match left_alone {
            Some(why) => format!("{own}; perfcheck keeps to them, since {why}"),
            None => own,
        });
    }
    if let Some(report) = reports.head.as_ref().filter(|report| report.ended) {
        notes.push(format!(
            "its samples are long: each process is ended after {} of {}",
            report.times.len(),
            report.config.sample_size
        ));
    }
    let unit = [&reports.head, &reports.base]
        .into_iter()
        .flatten()
        .find_map(|report| report.unit.as_deref());
    if let Some(unit) = unit
        && unit_of(unit) != "ns"
    {
        notes.push(format!(
            "it has a measurement of its own: its figures are in `{unit}`, not in nanoseconds"
        ));
    }
    notes
}

/// The unit of a formatted figure such as `1.0000 ns`.
fn unit_of(shown: &str) -> &str {
    shown.split_whitespace().next_back().unwrap_or_default()
}

/// Why the sides cannot be compared, as a lower-case fragment.
pub(super) fn different_measurements(reports: &Paired<Option<SideReport>>) -> Option<String> {
    let unit =
        |report: &Option<SideReport>| Some(unit_of(report.as_ref()?.unit.as_deref()?).to_owned());
    let units = reports.as_ref().map(unit);
    let (Some(base), Some(head)) = (units.base, units.head) else {
        return None;
    };
    (base != head).then(|| {
        format!("cannot be compared: its figures are in `{base}` on the base side and in `{head}` on the head side")
    })
}

fn settings(config: &BenchmarkConfig) -> (u64, Duration, Duration) {
    (
        config.sample_size,
        config.warm_up_time.into(),
        config.measurement_time.into(),
    )
}

fn describe(config: &BenchmarkConfig) -> String {
    let (samples, warm_up, measurement) = settings(config);
    format!(
        "{samples} samples in {} after {} of warm-up",
        humantime::format_duration(measurement),
        humantime::format_duration(warm_up)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{SamplingMethod, WallSpan};
    use crate::measure::threads::Threads;

    fn report(times: &[f64], sample_size: u64, unit: &str) -> SideReport {
        SideReport {
            id: "a".into(),
            iterations: vec![1.0; times.len()],
            times: times.to_vec(),
            config: BenchmarkConfig {
                measurement_time: WallSpan {
                    secs: 0,
                    nanos: 300_000_000,
                },
                sample_size,
                warm_up_time: WallSpan {
                    secs: 0,
                    nanos: 50_000_000,
                },
            },
            method: SamplingMethod::Flat,
            summary: None,
            threads: Threads::One,
            unit: Some(unit.into()),
            ended: false,
        }
    }

    const ASKED: Timing = Timing {
        warm_up: Duration::from_millis(50),
        measurement: Duration::from_millis(300),
        sample_size: 10,
    };

    #[test]
    fn a_time_of_zero_is_no_time() {
        assert!(samples(&report(&[1.0, 0.0], 10, "1 ns")).is_err());
        assert!(samples(&report(&[1.0, f64::NAN], 10, "1 ns")).is_err());
        assert!(samples(&report(&[], 10, "1 ns")).is_err());
        assert_eq!(
            samples(&report(&[1.0, 2.0], 10, "1 ns")).unwrap().times,
            [1.0, 2.0]
        );
    }

    #[test]
    fn settings_that_were_asked_for_need_no_words() {
        let both = |base, head| {
            Paired::new(
                Some(report(&[1.0], base, "1.0000 ns")),
                Some(report(&[1.0], head, "1.0000 ns")),
            )
        };
        assert!(notes(ASKED, &both(10, 10), None).is_empty());
        assert_eq!(
            notes(ASKED, &both(200, 200), None),
            ["its code has its own settings: 200 samples in 300ms after 50ms of warm-up"]
        );
        assert!(notes(ASKED, &both(200, 100), None)[0].contains("differ between the sides"));
    }

    #[test]
    fn a_process_that_was_ended_before_its_end_is_told() {
        let ended = SideReport {
            ended: true,
            ..report(&[1.0; 3], 10, "1 ns")
        };
        let found = notes(ASKED, &Paired::new(Some(ended.clone()), Some(ended)), None);
        assert_eq!(
            found,
            ["its samples are long: each process is ended after 3 of 10"]
        );
    }

    #[test]
    fn a_measurement_that_is_not_time_is_named() {
        let reports = Paired::new(None, Some(report(&[1.0], 10, "1 cycles")));
        assert!(notes(ASKED, &reports, None)[0].contains("1 cycles"));
        let reports = Paired::new(None, Some(report(&[1.0], 10, "1 instructions")));
        assert!(notes(ASKED, &reports, None)[0].contains("1 instructions"));
    }

    #[test]
    fn figures_in_different_units_are_not_compared() {
        let between = |base: &str, head: &str| {
            let sides = Paired::new(base, head).map(|unit| Some(report(&[1.0], 10, unit)));
            different_measurements(&sides)
        };
        assert_eq!(between("12.0 ns", "13.0 ns"), None);
        assert!(between("12.0 ns", "13.0 cycles").is_some_and(|why| why.contains("`cycles`")));
        let one_side = Paired::new(None, Some(report(&[1.0], 10, "1 cycles")));
        assert_eq!(different_measurements(&one_side), None);
    }
}
