//! What can be measured, as data.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Unit;

/// Something that is measured: one entry of [`Metric::ALL`], in `metric_table.rs`.
#[derive(Clone, Copy)]
pub struct Metric(pub(super) &'static MetricFacts);

/// What is known of a metric before anything is measured.
#[derive(Debug, Serialize)]
pub struct MetricFacts {
    /// What names it in files.
    #[serde(skip)]
    pub id: &'static str,
    /// What names it for people.
    pub name: &'static str,
    /// The unit of its numbers.
    pub unit: Unit,
    /// Which way is an improvement.
    pub better: Better,
    /// Whether its numbers are exact.
    pub exactness: Exactness,
    /// What its number describes.
    #[serde(skip)]
    pub form: Form,
    /// What it is reported beside.
    pub group: MetricGroup,
    /// How prominent it is.
    #[serde(skip)]
    pub prominence: Prominence,
    /// What limits it in a budget; `None` where nothing does.
    #[serde(skip)]
    pub limit: Option<LimitKey>,
    /// The word by which a change claims to have improved it; `None` where it cannot be claimed.
    #[serde(skip)]
    pub gain: Option<&'static str>,
}

/// The key of a budget.
#[derive(Debug)]
pub struct LimitKey {
    /// As it is typed.
    pub name: &'static str,
    /// What it means, for an editor.
    pub help: &'static str,
}

/// Which way is an improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Less of it.
    Lower,
    /// More of it.
    Higher,
    /// Neither: it describes, and is never judged.
    Neither,
}

/// Whether numbers are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exactness {
    /// The same in every run: a difference of one is real.
    Exact,
    /// Drawn from a distribution.
    Sampled,
}

/// What a metric's number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It adds up over iterations: its mean is always known.
    Sum,
    /// A high-water mark; it may be unknown for a single iteration.
    Level,
    /// A percentile of samples, each of which may be the mean of several iterations.
    Percentile,
}

/// Which metrics are reported together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricGroup {
    /// What the clock shows: what a benchmark's verdict is about.
    Time,
    /// What is processed per second; it follows from the time.
    Throughput,
    /// What is asked of the allocator.
    Allocations,
    /// What a program asks of its database.
    Queries,
    /// What the processor executes.
    Instructions,
    /// What a run of a program takes from the machine beside time.
    Resources,
    /// What a program says of itself.
    Printed,
    /// What a service takes from the machine under load.
    Service,
    /// What a program weighs.
    Program,
    /// How far a benchmark has come since a commit of the past.
    History,
}

impl MetricGroup {
    /// The groups that are told of beside the time of a benchmark, each in a table of its own.
    pub const BESIDE_TIME: [MetricGroup; 6] = [
        MetricGroup::Allocations,
        MetricGroup::Queries,
        MetricGroup::Instructions,
        MetricGroup::Resources,
        MetricGroup::Printed,
        MetricGroup::Service,
    ];

    /// As a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            MetricGroup::Time => "Time per iteration",
            MetricGroup::Throughput => "Throughput",
            MetricGroup::Allocations => "Allocations per iteration",
            MetricGroup::Queries => "Queries per run",
            MetricGroup::Instructions => "Instructions per iteration",
            MetricGroup::Resources => "Processor and memory per run",
            MetricGroup::Printed => "Printed by programs, per run",
            MetricGroup::Service => "Services under load",
            MetricGroup::Program => "Programs",
            MetricGroup::History => "Since a commit of the past",
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MetricGroup::Time => "time",
            MetricGroup::Throughput => "throughput",
            MetricGroup::Allocations => "allocations",
            MetricGroup::Queries => "queries",
            MetricGroup::Instructions => "instructions",
            MetricGroup::Resources => "processor and memory",
            MetricGroup::Printed => "printed metrics",
            MetricGroup::Service => "under load",
            MetricGroup::Program => "programs",
            MetricGroup::History => "history",
        }
    }

    /// What its numbers are of.
    #[must_use]
    pub fn each(self) -> &'static str {
        match self {
            MetricGroup::Queries | MetricGroup::Resources | MetricGroup::Printed => "per run",
            MetricGroup::Service => "of a service",
            _ => "per iteration",
        }
    }

    /// Its metrics, in the order of reports.
    pub fn metrics(self) -> impl Iterator<Item = Metric> {
        let all = Metric::ALL.into_iter().chain(Metric::all_printed());
        all.filter(move |metric| metric.group == self)
    }
}

/// How prominent a metric is in a report for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prominence {
    /// It stands for its group where there is room for little.
    Lead,
    /// It has a column where something of its group changed.
    Column,
    /// Reports show it where it changed.
    IfChanged,
    /// It is among the details.
    Detail,
}

impl Metric {
    /// The metric with this id.
    #[must_use]
    pub fn with_id(id: &str) -> Option<Metric> {
        let own = Metric::ALL.into_iter().find(|metric| metric.id == id);
        own.or_else(|| Metric::printed_with_id(id))
    }

    /// The metrics that a budget's key limits: those with its name, each in a unit of its own.
    pub fn limited_by(key: &str) -> impl Iterator<Item = Metric> {
        let is_meant = move |metric: &Metric| metric.limit.as_ref().is_some_and(|l| l.name == key);
        Metric::ALL.into_iter().filter(is_meant)
    }

    /// The metric that a change may claim to have improved by this word.
    #[must_use]
    pub fn gained_by(word: &str) -> Option<Metric> {
        Metric::ALL
            .into_iter()
            .find(|metric| metric.gain == Some(word))
    }

    /// Everything that is known of it.
    #[must_use]
    pub fn facts(self) -> &'static MetricFacts {
        self.0
    }

    /// `≤`, or `≥` for a metric that must not fall below its limit.
    #[must_use]
    pub fn relation(self) -> &'static str {
        match self.better {
            Better::Higher => "≥",
            Better::Lower | Better::Neither => "≤",
        }
    }

    /// Whether `amount` lies on the bad side of `limit`.
    #[must_use]
    pub fn is_beyond(self, amount: f64, limit: f64) -> bool {
        match self.better {
            Better::Higher => amount < limit,
            Better::Lower | Better::Neither => amount > limit,
        }
    }

    fn position(self) -> usize {
        let found = Metric::ALL.iter().position(|metric| metric.id == self.id);
        found.unwrap_or(Metric::ALL.len())
    }
}

impl std::ops::Deref for Metric {
    type Target = MetricFacts;

    fn deref(&self) -> &MetricFacts {
        self.0
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.id == other.id
    }
}

impl Eq for Metric {}

impl PartialOrd for Metric {
    fn partial_cmp(&self, other: &Metric) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Metric {
    fn cmp(&self, other: &Metric) -> std::cmp::Ordering {
        let place = |metric: &Metric| (metric.position(), metric.id);
        place(self).cmp(&place(other))
    }
}

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Metric({})", self.id)
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name)
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
        let id = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("there is no metric `{id}`"));
        Metric::with_id(&id).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_metric_and_a_key_of_budgets_one_a_unit() {
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.position(), place, "{metric:?}");
            let Some(limit) = &metric.limit else { continue };
            let same_unit =
                Metric::limited_by(limit.name).filter(|other| other.unit == metric.unit);
            assert_eq!(same_unit.count(), 1, "{metric:?}");
            assert_ne!(metric.better, Better::Neither, "{metric:?}");
        }
    }
}
