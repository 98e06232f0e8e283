//! Budgets: what a benchmark or a program may use at most, whatever it used before.

use super::super::PlanError;
use super::super::Service;
use super::super::amount;
use super::super::value::Share;
use super::ValueOrigin;
use super::entry::{EntryKey, EntryKind, EntryReader, EntryScope, MATCH, PACKAGE, TARGET};
use super::limit::Limit;
use super::pattern::{Pattern, Selector};
use crate::units::{BenchmarkKey, Better, Metric, MetricGroup, Unit};

/// The key of the list of budgets: `[[budget]]`.
pub(super) const KEY: &str = "budget";

/// The keys of a budget that are not limits.
const OTHER_KEYS: [EntryKey; 6] = [
    MATCH,
    PACKAGE,
    TARGET,
    EntryKey::text(
        "binary",
        "Glob of a program's name, for `size`; programs are built with `--release` to check it",
    ),
    EntryKey::text(
        SINCE,
        "Tag or commit that `drift` is relative to [default: the last release that was measured]",
    ),
    EntryKey::text(
        "investigate",
        "Vote `modify` from this share of a limit on, for example `80%`",
    ),
];

/// The key of the commit that drift is relative to.
const SINCE: &str = "since";

/// The keys of one budget.
pub(super) fn keys() -> Vec<EntryKey> {
    let limits = limits().map(|(name, metric)| EntryKey {
        name,
        kind: match metric.unit {
            Unit::Count => EntryKind::Number,
            Unit::Bytes => EntryKind::Size,
            _ => EntryKind::Text,
        },
        help: metric.limit.as_ref().map_or("", |limit| limit.help),
    });
    OTHER_KEYS.into_iter().chain(limits).collect()
}

/// The keys that are limits, each with the first of its metrics.
pub(super) fn limits() -> impl Iterator<Item = (&'static str, Metric)> {
    let limited = |metric: Metric| Some((metric.limit.as_ref()?.name, metric));
    let first =
        |(key, metric): &(&'static str, Metric)| Metric::limited_by(key).next() == Some(*metric);
    Metric::ALL.into_iter().filter_map(limited).filter(first)
}

/// All budgets; for each metric the last one that matches counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budgets(Vec<Budget>);

/// One entry: what it applies to, and its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    whose: BudgetSubjectKind,
    limits: Vec<Limit>,
    since: Option<String>,
    origin: ValueOrigin,
}

/// Of what a budget speaks.
#[derive(Debug, Clone, PartialEq)]
enum BudgetSubjectKind {
    Benchmarks(Selector),
    Binaries { package: Pattern, name: Pattern },
}

impl Budgets {
    pub(super) fn push(&mut self, budget: Budget) {
        self.0.push(budget);
    }

    /// Limits one benchmark, whatever its package, unless an entry says otherwise.
    pub(in super::super) fn assume(&mut self, target: &str, id: &str, limits: Vec<Limit>) {
        if let Some(whose) = Selector::exactly(target, id) {
            let budget = Budget {
                whose: BudgetSubjectKind::Benchmarks(whose),
                limits,
                since: None,
                origin: ValueOrigin::Default,
            };
            self.0.insert(0, budget);
        }
    }

    /// Whether programs must be built to check them.
    #[must_use]
    pub fn speak_of_binaries(&self) -> bool {
        let of_binaries =
            |budget: &Budget| matches!(budget.whose, BudgetSubjectKind::Binaries { .. });
        self.0.iter().any(of_binaries)
    }

    /// The limits of one benchmark, one per metric.
    #[must_use]
    pub fn of_benchmark(&self, key: &BenchmarkKey) -> Vec<Limit> {
        self.of(|whose| match whose {
            BudgetSubjectKind::Benchmarks(selector) => selector.speaks_of(key),
            BudgetSubjectKind::Binaries { .. } => false,
        })
    }

    /// The limits of a benchmark of this name, whatever its package, one per metric.
    pub(in super::super) fn of_name(&self, target: &str, id: &str) -> Vec<Limit> {
        self.of(|whose| match whose {
            BudgetSubjectKind::Benchmarks(selector) => selector.may_speak_of(target, id),
            BudgetSubjectKind::Binaries { .. } => false,
        })
    }

    /// Of a benchmark whose drift is limited: the commit that it is relative to, as typed.
    #[must_use]
    pub fn drift_since(&self, key: &BenchmarkKey) -> Option<&str> {
        let speaks = |budget: &&Budget| match &budget.whose {
            BudgetSubjectKind::Benchmarks(selector) => {
                let mut limits = budget.limits.iter();
                selector.speaks_of(key) && limits.any(|limit| limit.metric == Metric::DRIFT)
            }
            BudgetSubjectKind::Binaries { .. } => false,
        };
        self.0.iter().rev().find(speaks)?.since.as_deref()
    }

    /// The limits of one program.
    #[must_use]
    pub fn of_binary(&self, package: &str, name: &str) -> Vec<Limit> {
        self.of(|whose| whose.is_binary(package, name))
    }

    fn of(&self, speaks_of: impl Fn(&BudgetSubjectKind) -> bool) -> Vec<Limit> {
        let mut limits: Vec<Limit> = Vec::new();
        let weakest_first = self.0.iter().filter(|budget| speaks_of(&budget.whose));
        for limit in weakest_first.flat_map(|budget| &budget.limits) {
            // A throughput in another unit is another metric, but the same limit.
            limits.retain(|earlier| earlier.metric.name != limit.metric.name);
            limits.push(*limit);
        }
        limits.sort_by_key(|limit| limit.metric);
        limits
    }

    /// The entries about benchmarks that match none of these, as they were typed.
    #[must_use]
    pub fn without_benchmark<'a>(
        &self,
        benchmarks: impl Iterator<Item = &'a BenchmarkKey> + Clone,
    ) -> Vec<String> {
        let in_vain = |budget: &Budget| match &budget.whose {
            BudgetSubjectKind::Benchmarks(selector) => {
                let mut all = benchmarks.clone();
                // A comparison of benchmarks has no services.
                let elsewhere = selector.target.as_str() == Service::TARGET;
                let in_vain = !elsewhere && !all.any(|key| selector.speaks_of(key));
                in_vain.then(|| selector.to_string())
            }
            BudgetSubjectKind::Binaries { .. } => None,
        };
        self.0.iter().filter_map(in_vain).collect()
    }

    /// The entries about programs that match none of these (package, name), as they were typed.
    #[must_use]
    pub fn without_binary<'a>(
        &self,
        binaries: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Vec<String> {
        let in_vain = |budget: &Budget| match &budget.whose {
            BudgetSubjectKind::Binaries { name, .. } => {
                let mut all = binaries.clone();
                let some = all.any(|(package, name)| budget.whose.is_binary(package, name));
                (!some).then(|| name.as_str().to_owned())
            }
            BudgetSubjectKind::Benchmarks(_) => None,
        };
        self.0.iter().filter_map(in_vain).collect()
    }

    /// Each entry with its text and its place, for `cargo perfcheck config`.
    pub(super) fn shown(&self) -> impl Iterator<Item = (String, &ValueOrigin)> {
        self.0.iter().map(|budget| {
            let metrics: Vec<String> = budget.limits.iter().map(Limit::to_string).collect();
            let whose = match &budget.whose {
                BudgetSubjectKind::Benchmarks(selector) => selector.to_string(),
                BudgetSubjectKind::Binaries { name, .. } => format!("binary {}", name.as_str()),
            };
            (format!("{whose}: {}", metrics.join(", ")), &budget.origin)
        })
    }
}

impl BudgetSubjectKind {
    fn is_binary(&self, of_package: &str, called: &str) -> bool {
        match self {
            BudgetSubjectKind::Binaries { package, name } => {
                package.is_match(of_package) && name.is_match(called)
            }
            BudgetSubjectKind::Benchmarks(_) => false,
        }
    }
}

/// Reads one budget.
pub(super) fn read(
    table: &toml::Table,
    scope: EntryScope<'_>,
    origin: &ValueOrigin,
) -> Result<Budget, PlanError> {
    let reader = EntryReader {
        table,
        keys: &keys(),
        scope,
        origin,
        what: "a budget",
    };
    let investigate = reader.parsed::<Share>("investigate")?;
    if investigate.is_some_and(|share| share.as_fraction() == 0.0) {
        return Err(reader.invalid("investigate", "every use is above it; write `80%`"));
    }
    let since = reader.text(SINCE)?.map(str::to_owned);
    if since.is_some() && !reader.has(Metric::DRIFT.id) {
        return Err(reader.invalid(SINCE, "it is of `drift`: add for example `drift = \"5%\"`"));
    }
    let of_programs = reader.has("binary");
    let mut found = Vec::new();
    for (key, metric) in limits().filter(|(key, _)| reader.has(key)) {
        match (metric.group, of_programs) {
            (MetricGroup::Program, false) => {
                let problem = format!("`{key}` is of programs: name them with `binary`");
                return Err(reader.invalid(key, problem));
            }
            (MetricGroup::Program, true) | (_, false) => {}
            (_, true) => {
                let problem = "programs have a `size` only; benchmarks are named with `match`";
                return Err(reader.invalid(key, problem));
            }
        }
        found.push(limit(&reader, key, investigate)?);
    }
    Ok(Budget {
        whose: match of_programs {
            true => BudgetSubjectKind::Binaries {
                package: reader.package()?,
                name: reader.pattern("binary")?,
            },
            false => BudgetSubjectKind::Benchmarks(reader.selector()?),
        },
        limits: found,
        since,
        origin: origin.clone(),
    })
}

/// What a workload's own entry limits.
pub(super) fn of_workload(
    name: &str,
    limits: Vec<Limit>,
    scope: EntryScope<'_>,
    origin: &ValueOrigin,
) -> Result<Budget, PlanError> {
    let table = toml::Table::from_iter([
        ("match".to_owned(), globset::escape(name).into()),
        ("target".to_owned(), "workload".into()),
    ]);
    let reader = EntryReader {
        table: &table,
        keys: &keys(),
        scope,
        origin,
        what: "a workload",
    };
    Ok(Budget {
        whose: BudgetSubjectKind::Benchmarks(reader.selector()?),
        limits,
        since: None,
        origin: origin.clone(),
    })
}

fn limit(
    reader: &EntryReader<'_>,
    key: &str,
    investigate: Option<Share>,
) -> Result<Limit, PlanError> {
    let value = reader.table.get(key);
    let read = |metric: Metric| Some((metric, amount_of(metric.unit, value?)?));
    let Some((metric, limit)) = Metric::limited_by(key).find_map(read) else {
        let unit = Metric::limited_by(key).next().map(|metric| metric.unit);
        return Err(reader.invalid(key, unit.map_or("", expected)));
    };
    let share = investigate.map(Share::as_fraction);
    Ok(Limit {
        metric,
        limit,
        investigate: share.map(|share| match metric.better {
            // The limit is a floor: what uses 80 % of it runs at 125 % of it.
            Better::Higher => limit / share,
            Better::Lower | Better::Neither => limit * share,
        }),
    })
}

pub(super) fn amount_of(unit: Unit, value: &toml::Value) -> Option<f64> {
    let text = value.as_str();
    match unit {
        Unit::Nanoseconds => amount::in_units(text?, amount::TIMES),
        Unit::BytesPerSecond => amount::per_second(text?, amount::SIZES),
        Unit::ElementsPerSecond => amount::per_second(text?, amount::ELEMENTS),
        Unit::BitsPerSecond => amount::per_second(text?, amount::BITS),
        Unit::RequestsPerSecond => amount::per_second(text?, amount::REQUESTS),
        Unit::Share => {
            let share: Share = text?.parse().ok()?;
            Some(share.as_fraction()).filter(|share| *share > 0.0)
        }
        Unit::Count => number(value),
        Unit::Bytes => {
            let bytes = text.and_then(|text| amount::in_units(text, amount::SIZES));
            bytes.or_else(|| number(value))
        }
    }
}

/// A limit of zero makes sense: a routine that must not allocate.
fn number(value: &toml::Value) -> Option<f64> {
    let number = match value {
        toml::Value::Integer(number) => *number as f64,
        toml::Value::Float(number) => *number,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

pub(super) fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Nanoseconds => "it must be a time with its unit, for example `\"2.5ms\"`",
        Unit::BytesPerSecond
        | Unit::ElementsPerSecond
        | Unit::BitsPerSecond
        | Unit::RequestsPerSecond => {
            "it must be an amount per second, for example `\"100 MiB/s\"`, `\"20 Melem/s\"` or `\"500 req/s\"`"
        }
        Unit::Share => "it must be a share above zero, for example `\"5%\"`",
        Unit::Count => "it must be a number, for example `12`",
        Unit::Bytes => "it must be a size, for example `\"64 KiB\"`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets(text: &str) -> Result<Budgets, PlanError> {
        let table: toml::Table = text.parse().unwrap();
        let mut budgets = Budgets::default();
        for entry in table[KEY].as_array().unwrap() {
            let entry = entry.as_table().unwrap();
            budgets.push(read(entry, EntryScope::Workspace, &ValueOrigin::Default)?);
        }
        Ok(budgets)
    }

    #[test]
    fn the_last_budget_of_a_metric_counts() {
        let budgets = budgets(
            r#"
            [[budget]]
            match = "parse/*"
            p95 = "3ms"
            allocations = 12
            [[budget]]
            match = "parse/large/*"
            p95 = "20ms"
            throughput = "100 MB/s"
            investigate = "80%"
            "#,
        )
        .unwrap();
        let limits = budgets.of_benchmark(&BenchmarkKey::new("a", "b", "parse/large/1024"));
        let shown: Vec<(Metric, f64, Option<f64>)> = limits
            .iter()
            .map(|l| (l.metric, l.limit, l.investigate))
            .collect();
        assert_eq!(
            shown,
            [
                (Metric::P95, 2e7, Some(1.6e7)),
                (Metric::BYTES_PER_SECOND, 1e8, Some(1.25e8)),
                (Metric::ALLOCATIONS, 12.0, None),
            ]
        );
        assert_eq!(
            budgets.of_benchmark(&BenchmarkKey::new("a", "b", "sum")),
            []
        );
        assert!(!budgets.speak_of_binaries());
    }

    #[test]
    fn drift_is_a_share_since_a_commit() {
        let budgets = budgets(
            "[[budget]]\ndrift = '5%'\nsince = 'v1.4'\n[[budget]]\nmatch = 'parse/*'\ndrift = '2.5%'\n",
        )
        .unwrap();
        let parse = BenchmarkKey::new("a", "b", "parse/large");
        let sum = BenchmarkKey::new("a", "b", "sum");
        assert_eq!(budgets.of_benchmark(&sum)[0].limit, 0.05);
        assert_eq!(budgets.drift_since(&sum), Some("v1.4"));
        assert_eq!(
            budgets.of_benchmark(&parse)[0].to_string(),
            "drift ≤ +2.5 %"
        );
        assert_eq!(budgets.drift_since(&parse), None);
    }

    #[test]
    fn programs_have_a_size() {
        let budgets = budgets("[[budget]]\nbinary = 'serve*'\nsize = '12 MiB'\n").unwrap();
        assert!(budgets.speak_of_binaries());
        assert_eq!(
            budgets.of_binary("a", "server")[0].limit,
            12.0 * 1_048_576.0
        );
        assert_eq!(budgets.of_binary("a", "client"), []);
        assert_eq!(
            budgets.without_binary([("a", "client")].into_iter()),
            ["serve*"]
        );
        assert_eq!(
            budgets.without_binary([("a", "server")].into_iter()),
            [""; 0]
        );
    }

    #[test]
    fn what_matches_nothing_is_named_as_it_was_typed() {
        let budgets = budgets("[[budget]]\nmatch = 'gone/*'\ntarget = 'x'\np50 = '1ms'\n").unwrap();
        let all = [("x", "here"), ("y", "gone/1")].map(|(t, id)| BenchmarkKey::new("a", t, id));
        assert_eq!(budgets.without_benchmark(all.iter()), ["gone/*, target x"]);
    }

    #[test]
    fn a_budget_of_services_is_not_in_vain_where_benchmarks_are_compared() {
        let budgets = budgets("[[budget]]\ntarget = 'service'\np50 = '1ms'\n").unwrap();
        let all = [BenchmarkKey::new("a", "x", "sum")];
        assert_eq!(budgets.without_benchmark(all.iter()), [""; 0]);
    }

    #[test]
    fn a_limit_of_no_allocation_is_a_limit() {
        let budgets = budgets("[[budget]]\nallocations = 0\n").unwrap();
        assert_eq!(
            budgets.of_benchmark(&BenchmarkKey::new("a", "b", "c"))[0].limit,
            0.0
        );
    }

    #[test]
    fn what_is_no_limit_is_refused_with_an_example() {
        for (text, example) in [
            ("p95 = '3'", "2.5ms"),
            ("p95 = 3", "2.5ms"),
            ("throughput = '3 MiB'", "100 MiB/s"),
            ("allocations = '12'", "`12`"),
            ("bytes = -1", "64 KiB"),
            ("drift = '5'", "5%"),
            ("drift = '0%'", "above zero"),
            ("since = 'v1'\np50 = '1ms'", "drift"),
            ("size = '1 MiB'", "binary"),
            ("binary = 'x'\np50 = '1ms'", "match"),
            ("p50 = '1ms'\ninvestigate = '0%'", "80%"),
            ("p50 = '1ms'\ninvestigate = '120%'", "between"),
        ] {
            let error = budgets(&format!("[[budget]]\n{text}\n")).unwrap_err();
            assert!(error.to_string().contains(example), "{error}");
            assert!(error.to_string().contains("of a budget in"), "{error}");
        }
    }
}
