//! Metrics that programs print: their names are the project's.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::{Better, Exactness, Form, Metric, MetricFacts, MetricGroup, Prominence, Unit};

/// What their ids begin with.
const PREFIX: &str = "printed";

/// Those of this process, by their ids. They are few, and live as long as it does.
static KNOWN: LazyLock<Mutex<BTreeMap<String, Metric>>> = LazyLock::new(Mutex::default);

impl Metric {
    /// A metric that a program prints. Everything that is known of it is in its id, so that a report can be read without
    /// the configuration.
    #[must_use]
    pub fn printed(name: &str, unit: Unit, better: Better) -> Metric {
        let id = format!("{PREFIX}/{}/{}/{name}", word_of(better), unit_word(unit));
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let leaked = |text: &str| -> &'static str { Box::leak(Box::from(text)) };
            let facts: &'static MetricFacts = Box::leak(Box::new(MetricFacts {
                id: leaked(&id),
                name: leaked(name),
                unit,
                better,
                exactness: Exactness::Sampled,
                form: Form::Level,
                group: MetricGroup::Printed,
                prominence: Prominence::Lead,
                limit: None,
                gain: None,
            }));
            Metric(facts)
        };
        *known.entry(id.clone()).or_insert_with(make)
    }

    /// The metric that a program prints and that has this id.
    pub(super) fn printed_with_id(id: &str) -> Option<Metric> {
        let mut parts = id.splitn(4, '/');
        let prefix = parts.next().filter(|prefix| *prefix == PREFIX);
        prefix?;
        let (better, unit, name) = (parts.next()?, parts.next()?, parts.next()?);
        let better = [Better::Lower, Better::Higher, Better::Neither]
            .into_iter()
            .find(|one| word_of(*one) == better)?;
        let unit = [Unit::Nanoseconds, Unit::Bytes, Unit::Count]
            .into_iter()
            .find(|one| unit_word(*one) == unit)?;
        (!name.is_empty()).then(|| Metric::printed(name, unit, better))
    }

    /// Those that this process has met, by their ids.
    #[must_use]
    pub fn all_printed() -> Vec<Metric> {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().copied().collect()
    }
}

fn word_of(better: Better) -> &'static str {
    match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Neither => "neither",
    }
}

/// Programs print no other units.
fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Nanoseconds => "time",
        Unit::Bytes => "bytes",
        _ => "count",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_everything_about_a_printed_metric() {
        let metric = Metric::printed("hits / misses", Unit::Count, Better::Higher);
        assert_eq!(metric.id, "printed/higher/count/hits / misses");
        let again = Metric::with_id(metric.id).unwrap();
        assert_eq!(again, metric);
        assert_eq!(
            (again.name, again.better),
            ("hits / misses", Better::Higher)
        );
        assert_eq!(Metric::with_id("printed/up/count/x"), None);
        assert_eq!(Metric::with_id("printed/lower/count/"), None);
    }

    #[test]
    fn two_printed_metrics_are_two() {
        let a = Metric::printed("a", Unit::Count, Better::Lower);
        let b = Metric::printed("b", Unit::Count, Better::Lower);
        assert_ne!(a, b);
        assert_ne!(a.cmp(&b), std::cmp::Ordering::Equal);
        assert!(Metric::SIZE < a);
    }
}
