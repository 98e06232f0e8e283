//! Converts reports of version 1 to version 2.
//!
//! Version 1 had a shape of its own for times and one for allocations. Its `mean_change` was not tested
//! statistically, and is left out.

use serde_json::{Map, Value, json};

/// Converts `report` from version 1 to version 2.
pub(super) fn from_v1(report: &mut Value) {
    report["schema_version"] = json!(2);
    items(report, "benchmarks").for_each(upgrade_benchmark);
    items(report, "budgets").for_each(upgrade_budget);
    for reason in items(report, "typed_reasons") {
        items(reason, "budgets").for_each(upgrade_budget);
        if reason["kind"] == "allocates-more" {
            items(reason, "benchmarks").for_each(upgrade_growth);
        }
    }
    let part = |name: &str| report["environment"][name].clone();
    let cpu = part("cpu");
    let model = cpu.as_str().and_then(|cpu| cpu.split(" @ ").next());
    let machine = json!({
        "cpu": model, "cores": part("cores"), "virtualised": part("virtualised"),
    });
    report["environment"]["machine"] = machine;
}

/// The items of a list, where there is one.
fn items<'a>(of: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = of.get_mut(list).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

fn upgrade_benchmark(benchmark: &mut Value) {
    let take = |benchmark: &mut Value, name: &str| benchmark.get_mut(name).map(Value::take);
    let time = take(benchmark, "time").unwrap_or_default();
    let allocations = take(benchmark, "allocations").unwrap_or_default();
    let throughput = benchmark["throughput"].clone();
    let mut metrics = Map::new();
    if time.is_object() {
        add_times(&mut metrics, &time, &throughput);
    }
    if allocations.is_object() {
        add_counts(&mut metrics, &allocations);
    }
    let told = |notes: &Value, about: Option<&str>| -> Vec<Value> {
        let notes = notes.as_array().into_iter().flatten();
        notes
            .map(|text| json!({ "about": about, "text": text }))
            .collect()
    };
    let mut notes = told(&benchmark["notes"], None);
    notes.extend(told(&allocations["notes"], Some("allocations")));
    benchmark["notes"] = json!(notes);
    benchmark["metrics"] = Value::Object(metrics);
    if let Some(sites) = allocations.get("sites") {
        benchmark["sites"] = sites.clone();
    }
    if allocations["base"].is_object() || allocations["head"].is_object() {
        let of = |side: &str| match &allocations[side]["histogram"] {
            Value::Null => json!([]),
            sizes => sizes.clone(),
        };
        benchmark["request_sizes"] = json!({ "base": of("base"), "head": of("head") });
    }
}

/// The figures of version 1 with their metrics, and the name of their error.
const TIMES: [[&str; 3]; 5] = [
    ["mean", "mean_ns", "mean"],
    ["time", "median_ns", "median"],
    ["p95", "p95_ns", "p95"],
    ["p99", "p99_ns", "p99"],
    ["std-dev", "std_dev_ns", ""],
];

fn add_times(metrics: &mut Map<String, Value>, time: &Value, throughput: &Value) {
    let errors = &time["head_errors"];
    for [metric, figure, error] in TIMES {
        let side = |side: &str| match &time[side][figure] {
            Value::Null => Value::Null,
            value => {
                let error = match (side, &errors[error]) {
                    ("base", _) | (_, Value::Null) => Value::Null,
                    (_, ln) => json!({ "ln": ln, "rounds": errors["rounds"] }),
                };
                let mut observed = observed(value, "sampled");
                observed["error"] = error;
                observed
            }
        };
        let change = json!({ "base": side("base"), "head": side("head") });
        metrics.insert(metric.to_owned(), change);
    }
    if let (Some(unit), Some(amount)) = (throughput["unit"].as_str(), throughput["amount"].as_f64())
    {
        let speed = |side: &str| {
            let median = time[side]["median_ns"].as_f64();
            median.map(|median| observed(&json!(amount / median * 1e9), "sampled"))
        };
        let change = json!({ "base": speed("base"), "head": speed("head") });
        metrics.insert(format!("{unit}-per-second"), change);
    }
    let typical = &mut metrics["time"];
    for side in ["base", "head"] {
        if typical[side].is_object() {
            let quantiles = match &time["quantiles_ns"][side] {
                Value::Null => json!([]),
                quantiles => quantiles.clone(),
            };
            typical[side]["samples"] = json!({
                "count": time[side]["samples"],
                "iterations": time[side]["iterations_per_sample"],
                "quantiles": quantiles,
            });
        }
    }
    let change = &time["change"];
    typical["direction"] = match change["difference"].as_str() {
        Some("slower") => json!("more"),
        Some("faster") => json!("fewer"),
        _ => Value::Null,
    };
    typical["estimate"] = change.clone();
    let rounds = time["rounds"].as_array().into_iter().flatten();
    let rounds = rounds.map(|round| {
        json!({
            "ratio": round["ratio"], "value": round["median_ns"], "pairing": round["pairing"],
            "quartiles": round["quartiles_ns"],
        })
    });
    typical["rounds"] = rounds.collect();
}

/// The figures of version 1 with their metrics, and the name of their verdict.
const COUNTS: [[&str; 3]; 7] = [
    ["allocations", "count", "allocations"],
    ["reallocations", "reallocations", "reallocations"],
    ["frees", "frees", ""],
    ["bytes", "bytes", "bytes"],
    ["peak", "peak_bytes", "peak"],
    ["left-behind", "leaked_bytes", "retained"],
    ["largest", "largest_bytes", ""],
];

fn add_counts(metrics: &mut Map<String, Value>, allocations: &Value) {
    if allocations["base"].is_null() && allocations["head"].is_null() {
        return;
    }
    for [metric, figure, verdict] in COUNTS {
        let side = |side: &str| match &allocations[side][figure] {
            Value::Null => Value::Null,
            value => observed(
                value,
                match allocations[side]["exact"] == true {
                    true => "exact",
                    false => "sampled",
                },
            ),
        };
        let direction = match (verdict, &allocations["figures"]) {
            ("", _) => Value::Null,
            (_, Value::Null) => together(allocations, figure),
            (verdict, figures) => figures[verdict].clone(),
        };
        let change = json!({ "base": side("base"), "head": side("head"), "direction": direction });
        metrics.insert(metric.to_owned(), change);
    }
}

/// Early reports have one verdict on all figures: it applies to each one that changed.
fn together(allocations: &Value, figure: &str) -> Value {
    let of = |side: &str| allocations[side][figure].as_f64();
    match (allocations["verdict"].as_str(), of("base"), of("head")) {
        (None, _, _) | (_, None, _) | (_, _, None) => Value::Null,
        (Some("same"), _, _) => json!("same"),
        (_, Some(base), Some(head)) => json!(match base.total_cmp(&head) {
            std::cmp::Ordering::Less => "more",
            std::cmp::Ordering::Equal => "same",
            std::cmp::Ordering::Greater => "fewer",
        }),
    }
}

fn observed(value: &Value, exactness: &str) -> Value {
    json!({ "value": value, "exactness": exactness })
}

fn upgrade_budget(budget: &mut Value) {
    let unit = budget["unit"].take();
    let metric = match (budget["metric"].as_str(), unit.as_str()) {
        (Some("p50"), _) => "time",
        (Some("throughput"), Some("bytes_per_second")) => "bytes-per-second",
        (Some("throughput"), Some("bits_per_second")) => "bits-per-second",
        (Some("throughput"), _) => "elements-per-second",
        _ => return,
    };
    budget["metric"] = json!(metric);
}

fn upgrade_growth(growth: &mut Value) {
    let mut grown = vec![json!({ "grown": growth["grown"], "amount": growth["amount"] })];
    grown.extend(items(growth, "also").map(|also| also.take()));
    for one in &mut grown {
        one["metric"] = match one["grown"].as_str() {
            Some("count") => json!("allocations"),
            _ => one["grown"].clone(),
        };
    }
    growth["grown"] = json!(grown);
}
