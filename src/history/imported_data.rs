//! Imported series for other programs.

use serde::Serialize;

use super::imported_trends::ImportedTrends;
use crate::units::Better;

/// A series for a program.
#[derive(Serialize)]
pub(super) struct SeriesData<'a> {
    benchmark: &'a str,
    source: &'static str,
    series: &'a str,
    unit: &'a str,
    better: Better,
    values: Vec<SeriesValueData<'a>>,
    steps: Vec<SeriesStepData<'a>>,
}

#[derive(Serialize)]
struct SeriesValueData<'a> {
    commit: &'a str,
    value: f64,
}

#[derive(Serialize)]
struct SeriesStepData<'a> {
    commit: &'a str,
    after: &'a str,
    median_before: f64,
    median_after: f64,
}

/// All series for a program.
pub(super) fn imported_data(imported: &ImportedTrends) -> Vec<SeriesData<'_>> {
    let id = |place: usize| imported.commits.get(place).map_or("", |commit| &*commit.id);
    let data = imported.series.iter().map(|one| SeriesData {
        benchmark: &one.name.benchmark,
        source: one.name.source.name(),
        series: &one.name.series,
        unit: &one.unit,
        better: one.better,
        values: one
            .points
            .iter()
            .map(|point| SeriesValueData {
                commit: id(point.place),
                value: point.value,
            })
            .collect(),
        steps: one
            .shown_steps()
            .map(|step| SeriesStepData {
                commit: id(step.to),
                after: id(step.from),
                median_before: step.step.before,
                median_after: step.step.after,
            })
            .collect(),
    });
    data.collect()
}
