//! Budgets: what a benchmark or a program may use at most, whatever it used before.

use super::super::PlanError;
use super::super::value::Share;
use super::entry::{EntryReader, EntryScope};
use super::limit::{Limit, Metric, Unit};
use super::pattern::{Pattern, Selector};
use super::{ValueOrigin, amount};

/// The key of the list of budgets: `[[budget]]`.
pub(super) const KEY: &str = "budget";

/// The keys of one budget.
pub(super) const KEYS: [&str; 14] = [
    "match",
    "package",
    "target",
    "binary",
    "p50",
    "p95",
    "p99",
    "mean",
    "throughput",
    "allocations",
    "bytes",
    "peak",
    "size",
    "investigate",
];

/// All budgets; for each metric the last one that matches counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budgets(Vec<Budget>);

/// One entry: of what it speaks, and its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    whose: BudgetSubjectKind,
    limits: Vec<Limit>,
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

    /// Whether programs must be built to check them.
    #[must_use]
    pub fn speak_of_binaries(&self) -> bool {
        let of_binaries =
            |budget: &Budget| matches!(budget.whose, BudgetSubjectKind::Binaries { .. });
        self.0.iter().any(of_binaries)
    }

    /// The limits of one benchmark, one a metric.
    #[must_use]
    pub fn of_benchmark(&self, package: &str, target: &str, id: &str) -> Vec<Limit> {
        self.of(|whose| match whose {
            BudgetSubjectKind::Benchmarks(selector) => selector.speaks_of(package, target, id),
            BudgetSubjectKind::Binaries { .. } => false,
        })
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
            limits.retain(|earlier| earlier.metric != limit.metric);
            limits.push(*limit);
        }
        limits.sort_by_key(|limit| limit.metric);
        limits
    }

    /// The entries about benchmarks that speak of none of these (package, target, id), as they were
    /// typed.
    #[must_use]
    pub fn without_benchmark<'a>(
        &self,
        benchmarks: impl Iterator<Item = (&'a str, &'a str, &'a str)> + Clone,
    ) -> Vec<String> {
        let in_vain = |budget: &Budget| match &budget.whose {
            BudgetSubjectKind::Benchmarks(selector) => {
                let mut all = benchmarks.clone();
                let named =
                    !all.any(|(package, target, id)| selector.speaks_of(package, target, id));
                named.then(|| selector.to_string())
            }
            BudgetSubjectKind::Binaries { .. } => None,
        };
        self.0.iter().filter_map(in_vain).collect()
    }

    /// The entries about programs that speak of none of these (package, name), as they were typed.
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

    /// Each entry with what it says and where, for `cargo perfcheck config`.
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
        scope,
        origin,
        what: "a budget",
    };
    let investigate = reader.parsed::<Share>("investigate")?;
    if investigate.is_some_and(|share| share.as_fraction() == 0.0) {
        return Err(reader.invalid("investigate", "every use is above it; write `80%`"));
    }
    let metrics: &[Metric] = if reader.has("binary") {
        &[Metric::Size]
    } else {
        &Metric::OF_BENCHMARKS
    };
    let misplaced = Metric::OF_BENCHMARKS
        .into_iter()
        .chain([Metric::Size])
        .find(|metric| reader.has(metric.name()) && !metrics.contains(metric));
    if let Some(metric) = misplaced {
        let problem = match metric {
            Metric::Size => "`size` is of programs: name them with `binary`",
            _ => "programs have a `size` only; benchmarks are named with `match`",
        };
        return Err(reader.invalid(metric.name(), problem));
    }
    let mut limits = Vec::new();
    for metric in metrics {
        limits.extend(limit(&reader, *metric, investigate)?);
    }
    Ok(Budget {
        whose: match reader.has("binary") {
            true => BudgetSubjectKind::Binaries {
                package: reader.package()?,
                name: reader.pattern("binary")?,
            },
            false => BudgetSubjectKind::Benchmarks(reader.selector()?),
        },
        limits,
        origin: origin.clone(),
    })
}

fn limit(
    reader: &EntryReader<'_>,
    metric: Metric,
    investigate: Option<Share>,
) -> Result<Option<Limit>, PlanError> {
    let Some(value) = reader.table.get(metric.name()) else {
        return Ok(None);
    };
    let Some((limit, unit)) = amount_of(metric, value) else {
        return Err(reader.invalid(metric.name(), expected(metric)));
    };
    let share = investigate.map(Share::as_fraction);
    Ok(Some(Limit {
        metric,
        unit,
        limit,
        investigate: share.map(|share| match metric {
            // The limit is a floor: what uses 80 % of it runs at 125 % of it.
            Metric::Throughput => limit / share,
            _ => limit * share,
        }),
    }))
}

fn amount_of(metric: Metric, value: &toml::Value) -> Option<(f64, Unit)> {
    let text = value.as_str();
    match metric {
        Metric::P50 | Metric::P95 | Metric::P99 | Metric::Mean => {
            Some((amount::in_units(text?, amount::TIMES)?, Unit::Nanoseconds))
        }
        Metric::Throughput => [
            (amount::SIZES, Unit::BytesPerSecond),
            (amount::ELEMENTS, Unit::ElementsPerSecond),
            (amount::BITS, Unit::BitsPerSecond),
        ]
        .into_iter()
        .find_map(|(units, unit)| Some((amount::per_second(text?, units)?, unit))),
        Metric::Allocations => Some((number(value)?, Unit::Count)),
        Metric::Bytes | Metric::Peak | Metric::Size => {
            let bytes = text.and_then(|text| amount::in_units(text, amount::SIZES));
            Some((bytes.or_else(|| number(value))?, Unit::Bytes))
        }
    }
}

/// A limit of nothing at all is a good one: a routine that must not allocate.
fn number(value: &toml::Value) -> Option<f64> {
    let number = match value {
        toml::Value::Integer(number) => *number as f64,
        toml::Value::Float(number) => *number,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn expected(metric: Metric) -> &'static str {
    match metric {
        Metric::P50 | Metric::P95 | Metric::P99 | Metric::Mean => {
            "it must be a time with its unit, for example `\"2.5ms\"`"
        }
        Metric::Throughput => {
            "it must be an amount a second, for example `\"100 MiB/s\"` or `\"20 Melem/s\"`"
        }
        Metric::Allocations => "it must be a number, for example `12`",
        Metric::Bytes | Metric::Peak | Metric::Size => {
            "it must be a size, for example `\"64 KiB\"`"
        }
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
        let limits = budgets.of_benchmark("a", "b", "parse/large/1024");
        let shown: Vec<(Metric, f64, Option<f64>)> = limits
            .iter()
            .map(|l| (l.metric, l.limit, l.investigate))
            .collect();
        assert_eq!(
            shown,
            [
                (Metric::P95, 2e7, Some(1.6e7)),
                (Metric::Throughput, 1e8, Some(1.25e8)),
                (Metric::Allocations, 12.0, None),
            ]
        );
        assert_eq!(budgets.of_benchmark("a", "b", "sum"), []);
        assert!(!budgets.speak_of_binaries());
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
        let all = [("a", "x", "here"), ("a", "y", "gone/1")];
        assert_eq!(
            budgets.without_benchmark(all.into_iter()),
            ["gone/*, target x"]
        );
    }

    #[test]
    fn amounts_are_shown_with_their_unit() {
        assert_eq!(Unit::Nanoseconds.show(2_481_000.0), "2.481 ms");
        assert_eq!(Unit::Nanoseconds.show_typed(3_000_000.0), "3 ms");
        assert_eq!(Unit::Bytes.show_typed(65_536.0), "64 KiB");
        assert_eq!(Unit::Count.show(2.5), "2.50");
        assert_eq!(Unit::Count.show_typed(120.0), "120");
        assert_eq!(Unit::ElementsPerSecond.show(12_300_000.0), "12.30 Melem/s");
        assert_eq!(Unit::BytesPerSecond.show_typed(104_857_600.0), "100 MiB/s");
    }

    #[test]
    fn a_limit_of_no_allocation_is_a_limit() {
        let budgets = budgets("[[budget]]\nallocations = 0\n").unwrap();
        assert_eq!(budgets.of_benchmark("a", "b", "c")[0].limit, 0.0);
    }

    #[test]
    fn what_is_no_limit_is_refused_with_an_example() {
        for (text, example) in [
            ("p95 = '3'", "2.5ms"),
            ("p95 = 3", "2.5ms"),
            ("throughput = '3 MiB'", "100 MiB/s"),
            ("allocations = '12'", "`12`"),
            ("bytes = -1", "64 KiB"),
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
