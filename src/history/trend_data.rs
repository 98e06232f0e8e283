//! A trend for other programs.

use serde::Serialize;

use super::HistoryError;
use super::changes::ChangeShape;
use super::export::line;
use super::imported_data::{SeriesData, imported_data};
use super::imported_trends::ImportedTrends;
use super::trends::{BenchmarkTrend, Trends};
use crate::report::MachineClass;
use crate::stats::trend::{Consistency, Level, Trend};
use crate::units::{BenchmarkKey, Metric, Timestamp};

/// The version of [`TrendFile`].
const VERSION: u32 = 1;

/// The JSON of a trend. Logarithms are natural, errors are standard errors of them.
#[derive(Serialize)]
struct TrendFile<'a> {
    trend_version: u32,
    metric: Metric,
    anchor: &'a str,
    threshold: f64,
    machine_classes: &'a [MachineClass],
    commits: Vec<CommitData<'a>>,
    benchmarks: Vec<BenchmarkData<'a>>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imported: Vec<SeriesData<'a>>,
}

#[derive(Serialize)]
struct CommitData<'a> {
    id: &'a str,
    author_date: Option<Timestamp>,
    subject: &'a str,
    tags: &'a [String],
}

#[derive(Serialize)]
struct BenchmarkData<'a> {
    #[serde(flatten)]
    key: &'a BenchmarkKey,
    measurements: usize,
    #[serde(flatten)]
    together: LevelData<'a>,
    machine_classes_apart: Vec<ClassData<'a>>,
    changes: Vec<ChangeData<'a>>,
    loops: Option<AgreementData>,
    classes: Option<AgreementData>,
}

#[derive(Serialize)]
struct ClassData<'a> {
    machine_class: usize,
    #[serde(flatten)]
    levels: LevelData<'a>,
}

#[derive(Serialize)]
struct LevelData<'a> {
    anchor: &'a str,
    placement_std_dev: f64,
    levels: Vec<PointData<'a>>,
}

#[derive(Serialize)]
struct PointData<'a> {
    commit: &'a str,
    ln_ratio: f64,
    std_error: f64,
}

#[derive(Serialize)]
struct ChangeData<'a> {
    kind: &'static str,
    commit: &'a str,
    earliest: &'a str,
    latest: &'a str,
    ln_ratio: f64,
    std_error: f64,
    accepted: Option<&'a str>,
}

#[derive(Serialize)]
struct AgreementData {
    q: f64,
    degrees_of_freedom: usize,
    p_value: f64,
}

impl From<Consistency> for AgreementData {
    fn from(consistency: Consistency) -> AgreementData {
        AgreementData {
            q: consistency.q,
            degrees_of_freedom: consistency.freedom,
            p_value: consistency.p_value,
        }
    }
}

impl Trends {
    fn id(&self, place: usize) -> &str {
        self.commits.get(place).map_or("", |commit| &commit.id)
    }

    fn level_data(&self, trend: &Trend, anchor: usize) -> LevelData<'_> {
        LevelData {
            anchor: self.id(anchor),
            placement_std_dev: trend.placement,
            levels: points(trend)
                .map(|(place, level)| PointData {
                    commit: self.id(place),
                    ln_ratio: level.ln_ratio,
                    std_error: level.std_error,
                })
                .collect(),
        }
    }

    fn benchmark_data<'a>(&'a self, one: &'a BenchmarkTrend) -> BenchmarkData<'a> {
        let changes = one.changes().into_iter().map(|change| ChangeData {
            kind: match change.shape {
                ChangeShape::Step => "step",
                ChangeShape::Drift => "drift",
            },
            commit: self.id(change.commit),
            earliest: self.id(change.first),
            latest: self.id(change.last),
            ln_ratio: change.size.ln_ratio,
            std_error: change.size.std_error,
            accepted: one.accepted.get(&change.commit).map(String::as_str),
        });
        let apart = one.apart.iter().map(|apart| ClassData {
            machine_class: apart.class,
            levels: self.level_data(&apart.trend, one.anchor),
        });
        BenchmarkData {
            key: &one.key,
            measurements: one.edges,
            together: self.level_data(&one.trend, one.anchor),
            machine_classes_apart: apart.collect(),
            changes: changes.collect(),
            loops: one.trend.loops.map(AgreementData::from),
            classes: one.trend.classes.map(AgreementData::from),
        }
    }
}

/// The commits with a level, by their places.
pub(super) fn points(trend: &Trend) -> impl Iterator<Item = (usize, Level)> + '_ {
    let levels = trend.levels.iter().enumerate();
    levels.filter_map(|(place, level)| Some((place, (*level)?)))
}

/// As JSON.
pub(crate) fn json(trends: &Trends, imported: &ImportedTrends) -> Result<String, HistoryError> {
    let file = TrendFile {
        trend_version: VERSION,
        metric: trends.metric,
        anchor: trends.id(trends.anchor),
        threshold: trends.threshold,
        machine_classes: &trends.classes,
        commits: trends
            .commits
            .iter()
            .map(|commit| CommitData {
                id: &commit.id,
                author_date: commit.date,
                subject: &commit.subject,
                tags: &commit.tags,
            })
            .collect(),
        benchmarks: trends
            .benchmarks
            .iter()
            .map(|one| trends.benchmark_data(one))
            .collect(),
        notes: trends.remarks(),
        imported: imported_data(imported),
    };
    let text = serde_json::to_string(&file);
    let text = text.map_err(|source| HistoryError::Encode { source })?;
    Ok(text + "\n")
}

/// As CSV: a line for each benchmark and commit.
pub(crate) fn trend_csv(trends: &Trends) -> String {
    let mut text =
        "package,target,id,commit,author_date,subject,ratio,lower,upper,change\n".to_owned();
    for one in &trends.benchmarks {
        let changes = one.changes();
        for (place, level) in points(&one.trend) {
            let commit = &trends.commits[place];
            let change = changes.iter().find(|change| change.commit == place);
            let [lower, upper] = level.bounds();
            text += &line(&[
                one.key.package.clone(),
                one.key.target.clone(),
                one.key.id.clone(),
                commit.id.clone(),
                commit.date.map(|date| date.to_string()).unwrap_or_default(),
                commit.subject.clone(),
                format!("{:.6}", level.ratio().as_quotient()),
                format!("{:.6}", lower.as_quotient()),
                format!("{:.6}", upper.as_quotient()),
                change.map_or(String::new(), |change| {
                    format!("{:.6}", change.size.ratio().as_quotient())
                }),
            ]);
        }
    }
    text
}
