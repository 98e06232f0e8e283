//! What is known about one benchmark on both sides, metric by metric.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{StatementChange, Verdict};
use crate::measure::{CodeOwner, Failure, Pairing, Remark};
use crate::units::{
    BenchmarkKey, Better, Exactness, Form, Metric, MetricGroup, Note, Paired, Ratio, Side,
    Throughput,
};

/// One benchmark, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Package, target and id.
    #[serde(flatten)]
    pub key: BenchmarkKey,
    /// What can be said.
    pub verdict: Verdict,
    /// How base and head were interleaved (the weakest of its rounds); none where nothing was timed.
    pub pairing: Option<Pairing>,
    /// What one iteration processes.
    pub throughput: Option<Throughput>,
    /// What was observed of it.
    pub metrics: MetricChanges,
    /// The places that ask for memory, most changed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<AllocationSite>,
    /// The statements of a database that one side runs more often, those with the largest increase first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementChange>,
    /// How many requests by size each side makes in an iteration: element i counts sizes in [2^i, 2^(i+1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_sizes: Option<Paired<Vec<f64>>>,
    /// Why there is no result, where there is none.
    pub failure: Option<Failure>,
    /// Things the reader should know.
    pub notes: Vec<Note>,
    /// What decisions rest on, as data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// A change for each metric that was observed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct MetricChanges(BTreeMap<Metric, Change>);

/// What one metric shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What each side shows.
    #[serde(flatten)]
    pub sides: Paired<Option<Observed>>,
    /// Which way it went, as far as that is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// By how much; absent if the number is not drawn from a distribution, or was drawn too few times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<RatioEstimate>,
    /// Round by round, in order, so that drift can be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<RoundSummary>,
}

/// What one side shows of a metric, in its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The number to show.
    pub value: f64,
    /// Whether it was the same each time.
    pub exactness: Exactness,
    /// How certain it is by itself; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RelativeError>,
    /// The least that any process showed, of a count that varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// The samples behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<SampleSummary>,
}

/// The standard error of the natural logarithm of a number: 0.01 is about one per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RelativeError {
    /// The error.
    pub ln: f64,
    /// From how many rounds.
    pub rounds: usize,
}

/// The samples of one side, over all rounds.
///
/// A sample is what the benchmark's harness times in one go: its time per iteration is the mean of its iterations.
/// So percentiles and the standard deviation describe such means, and iterations only if each sample is one
/// iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSummary {
    /// How many.
    pub count: usize,
    /// How many iterations each sample has; absent in older reports, which did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<IterationsPerSample>,
    /// Their distribution: the minimum, every fifth percentile, and the maximum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<f64>,
}

/// How many iterations the samples of one side have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IterationsPerSample {
    /// In the smallest sample.
    pub fewest: u64,
    /// In the largest.
    pub most: u64,
}

/// Which way a number went from base to head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// There is more; for several metrics together: at least one of them grew, whatever the others did.
    More,
    /// There is less; for several metrics together: at least one of them fell, and none grew.
    Fewer,
    /// It is the same.
    Same,
}

/// The difference between the sides, with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RatioEstimate {
    /// The estimate of head ÷ base.
    pub ratio: Ratio,
    /// Lower end of the interval.
    pub lower: Ratio,
    /// Upper end of the interval.
    pub upper: Ratio,
    /// Two-sided p-value of "no difference at all".
    pub p_value: f64,
    /// The confidence level of this interval.
    pub confidence: f64,
    /// How many rounds.
    pub rounds: usize,
    /// The smallest relative change that would have been detected (power 80 %).
    pub detectable: f64,
}

/// One round of one benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundSummary {
    /// The round's estimate of head ÷ base.
    pub ratio: Ratio,
    /// The round's typical value of each side.
    pub value: Paired<f64>,
    /// How base and head were interleaved.
    pub pairing: Pairing,
    /// The middle half of the round's samples of each side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quartiles: Option<Paired<Quartiles>>,
}

/// The bounds of the middle half of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// The 25th percentile.
    pub lower: f64,
    /// The 75th percentile.
    pub upper: f64,
}

/// A place that asks for memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocationSite {
    /// The innermost function of the workspace (or of a dependency where none is), demangled.
    pub function: String,
    /// `path:line` relative to the repository, where known: on the head side, where it is still there.
    pub location: Option<String>,
    /// The call stack that asked for most of it, outermost first.
    pub stack: Vec<String>,
    /// Allocations and reallocations per iteration.
    pub count: Paired<f64>,
    /// Bytes per iteration.
    pub bytes: Paired<f64>,
    /// Bytes that a run of a program never frees; zero for benchmarks, of which it is not known.
    #[serde(default = "no_bytes", skip_serializing_if = "is_nothing")]
    pub left_behind: Paired<f64>,
    /// Whose code it is.
    #[serde(default)]
    pub origin: CodeOwner,
}

/// What older reports say nothing of.
fn no_bytes() -> Paired<f64> {
    Paired::new(0.0, 0.0)
}

fn is_nothing(both: &Paired<f64>) -> bool {
    *both == no_bytes()
}

impl Comparison {
    /// A benchmark of which nothing was observed.
    #[must_use]
    pub fn unobserved(key: BenchmarkKey, verdict: Verdict) -> Comparison {
        Comparison {
            key,
            verdict,
            pairing: None,
            throughput: None,
            metrics: MetricChanges::default(),
            sites: Vec::new(),
            statements: Vec::new(),
            request_sizes: None,
            failure: None,
            notes: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// What the clock shows of a typical iteration, where it was timed.
    #[must_use]
    pub fn time(&self) -> Option<&Change> {
        self.metrics.get(Metric::TIME)
    }

    /// By how much the time changed, where both sides were timed often enough.
    #[must_use]
    pub fn estimate(&self) -> Option<&RatioEstimate> {
        self.time()?.estimate.as_ref()
    }

    /// What one side shows of a metric.
    #[must_use]
    pub fn value(&self, metric: Metric, side: Side) -> Option<f64> {
        Some(self.metrics.get(metric)?.sides.get(side).as_ref()?.value)
    }

    /// What both sides show of a metric, where both were observed.
    #[must_use]
    pub fn values(&self, metric: Metric) -> Option<Paired<f64>> {
        self.metrics.get(metric)?.values()
    }

    /// How often an iteration asks for memory on one side, where that was counted.
    #[must_use]
    pub fn requests(&self, side: Side) -> Option<f64> {
        let of = |metric| self.value(metric, side);
        Some(of(Metric::ALLOCATIONS)? + of(Metric::REALLOCATIONS)?)
    }

    /// The direction of all metrics of a group together: more if any is more; else fewer if any is
    /// fewer; else the same if all sums are the same. `None` if that is not certain.
    #[must_use]
    pub fn direction(&self, group: MetricGroup) -> Option<Direction> {
        let judged = || {
            let all = self.metrics.of(group);
            all.filter(|(metric, _)| metric.better != Better::Neither)
        };
        let any = |wanted| judged().any(|(_, change)| change.direction == Some(wanted));
        let is_same = |change: &Change| change.direction == Some(Direction::Same);
        let mut sums = judged().filter(|(metric, _)| metric.form == Form::Sum);
        match () {
            () if any(Direction::More) => Some(Direction::More),
            () if any(Direction::Fewer) => Some(Direction::Fewer),
            () if judged().count() > 0 && sums.all(|(_, change)| is_same(change)) => {
                Some(Direction::Same)
            }
            () => None,
        }
    }

    /// What the reader should know of the metrics of a group.
    pub fn notes_about(&self, group: MetricGroup) -> impl Iterator<Item = &str> {
        let about = self
            .notes
            .iter()
            .filter(move |note| note.about == Some(group));
        about.map(|note| &*note.text)
    }
}

impl MetricChanges {
    /// The change of one metric.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<&Change> {
        self.0.get(&metric)
    }

    /// The same, to change; adds an empty change if there is none.
    pub fn entry(&mut self, metric: Metric) -> &mut Change {
        self.0.entry(metric).or_default()
    }

    /// Every metric with its change, in the order of reports.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, &Change)> {
        self.0.iter().map(|(metric, change)| (*metric, change))
    }

    /// Leaves out every metric that `keeps` does not keep.
    pub fn retain(&mut self, keeps: impl Fn(Metric) -> bool) {
        self.0.retain(|metric, _| keeps(*metric));
    }

    /// Those of a group.
    pub fn of(&self, group: MetricGroup) -> impl Iterator<Item = (Metric, &Change)> {
        self.iter().filter(move |(metric, _)| metric.group == group)
    }

    /// Whether nothing of a group was observed.
    #[must_use]
    pub fn is_empty(&self, group: MetricGroup) -> bool {
        self.of(group).next().is_none()
    }
}

impl FromIterator<(Metric, Change)> for MetricChanges {
    fn from_iter<I: IntoIterator<Item = (Metric, Change)>>(changes: I) -> MetricChanges {
        MetricChanges(changes.into_iter().collect())
    }
}

impl Extend<(Metric, Change)> for MetricChanges {
    fn extend<I: IntoIterator<Item = (Metric, Change)>>(&mut self, changes: I) {
        self.0.extend(changes);
    }
}

/// Metrics that only a later version of the program knows are left out, as unknown members are.
impl<'de> Deserialize<'de> for MetricChanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MetricChanges, D::Error> {
        let all = BTreeMap::<String, Change>::deserialize(deserializer)?;
        let known = |(id, change): (String, Change)| Some((Metric::with_id(&id)?, change));
        Ok(all.into_iter().filter_map(known).collect())
    }
}

impl Change {
    /// What both sides show, if both were observed.
    #[must_use]
    pub fn values(&self) -> Option<Paired<f64>> {
        let Paired { base, head } = &self.sides;
        Some(Paired::new(base.as_ref()?.value, head.as_ref()?.value))
    }

    /// Whether it certainly went one way or the other.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        matches!(self.direction, Some(Direction::More | Direction::Fewer))
    }

    /// The samples of one side.
    #[must_use]
    pub fn samples(&self, side: Side) -> Option<&SampleSummary> {
        self.sides.get(side).as_ref()?.samples.as_ref()
    }
}

impl Observed {
    /// The same each time.
    #[must_use]
    pub fn exactly(value: f64) -> Observed {
        Observed {
            value,
            exactness: Exactness::Exact,
            error: None,
            least: None,
            samples: None,
        }
    }

    /// Drawn from a distribution.
    #[must_use]
    pub fn sampled(value: f64) -> Observed {
        Observed {
            exactness: Exactness::Sampled,
            ..Observed::exactly(value)
        }
    }
}

impl IterationsPerSample {
    /// Whether percentiles over samples of these sizes mean the same. The spread of means over n iterations falls
    /// as 1/√n: a quarter more iterations makes the tails shorter by a tenth at most.
    #[must_use]
    pub fn is_comparable(self, other: IterationsPerSample) -> bool {
        let alike = |a: u64, b: u64| a.max(b) as f64 <= 1.25 * a.min(b) as f64;
        alike(self.fewest, other.fewest) && alike(self.most, other.most)
    }
}
