//! What makes the numbers reproducible.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::report::escape::visible;
use crate::report::{Commit, Report, unseen, words};
use crate::units::{Paired, command_line};

/// Environment, methodology, and how to reproduce.
pub(super) fn facts(report: &Report) -> Markup {
    html! {
        section { h2 { "Environment" } (table(environment(report))) }
        section { h2 { "Methodology" } (table(methodology(report))) }
        section { h2 { "How to reproduce" } (reproduce(report)) }
        footer { p.soft { "cargo-perfcheck " (report.perfcheck_version) } }
    }
}

fn table(facts: Vec<(&str, String)>) -> Markup {
    html! {
        table.facts { tbody {
            @for (what, value) in facts { tr { th scope="row" { (what) } td { (visible(&value)) } } }
        } }
    }
}

fn environment(report: &Report) -> Vec<(&'static str, String)> {
    let e = &report.environment;
    let date = report.date.map(|date| ("measured", date.to_string()));
    let mut facts: Vec<(&'static str, String)> = date.into_iter().collect();
    facts.extend([
        (
            "CPU",
            format!(
                "{}, {}",
                e.machine.cpu,
                words::plural(e.machine.cores, "processor", "processors")
            ),
        ),
        ("memory", words::memory(e)),
        ("system", format!("{}, kernel {}", e.os, e.kernel)),
        ("load at start", format!("{:.2}", e.load_at_start)),
        ("rustc", sides(&e.rustc)),
        ("cargo", sides(&e.cargo)),
        ("host", e.host.clone()),
        ("profile", e.profile.clone()),
        ("Criterion", sides(&e.criterion.as_ref().map(versions))),
    ]);
    if let Some(hypervisor) = &e.machine.virtualised {
        facts.push(("virtual machine", hypervisor.clone()));
    }
    if let Some(locking) = words::locking(e) {
        facts.push(("Cargo.lock", locking.to_owned()));
    }
    let toolchain = e.toolchain.as_ref();
    facts.extend(toolchain.map(|toolchain| ("toolchain", sides(toolchain))));
    facts.extend(e.place.clone().map(|place| ("place", place)));
    if !e.carried.is_empty() {
        facts.push(("carried", e.carried.join(", ")));
    }
    if let Some(steal) = e.steal {
        facts.push(("time stolen by other tenants", words::share(steal)));
    }
    facts
}

fn sides(both: &Paired<String>) -> String {
    if both.base == both.head {
        both.base.clone()
    } else {
        format!("{} → {}", both.base, both.head)
    }
}

fn versions(of: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = of
        .iter()
        .map(|(package, version)| format!("{package}: {version}"))
        .collect();
    parts.join(", ")
}

fn methodology(report: &Report) -> Vec<(&'static str, String)> {
    let m = &report.methodology;
    let spent: Vec<String> = m
        .timings
        .iter()
        .map(|t| format!("{} {:.0} s", t.stage, t.seconds))
        .collect();
    let part = m.partition.map(|part| ("part", words::part(part)));
    let mut rows = vec![
        (
            "rounds",
            format!(
                "up to {} per benchmark, each a fresh pair of processes",
                m.max_rounds
            ),
        ),
        ("order", m.order.clone()),
        (
            "in a round",
            format!(
                "{} s warm-up, {} s measurement, {} samples requested; settings in the benchmark's code take precedence",
                m.warm_up_seconds, m.measurement_seconds, m.sample_size
            ),
        ),
        ("threshold", format!("±{}", words::share(m.threshold))),
        ("many benchmarks", m.correction.clone()),
        ("processors", m.pinning.clone()),
        ("seed", m.seed.to_string()),
        ("time spent", spent.join(", ")),
    ];
    rows.extend(
        m.layouts
            .map(|drawn| ("layouts of the code", words::layouts(drawn))),
    );
    rows.extend(unseen::modes(report).map(|unseen| ("slow processes", unseen)));
    rows.extend(part);
    rows
}

fn reproduce(report: &Report) -> Markup {
    let command = command_line(report.methodology.command_line.iter().map(String::as_str));
    let side = |name: &str, commit: &Commit| {
        html! {
            li {
                (name) ": " code { (visible(&commit.label)) } " is " code { (visible(&commit.commit)) }
                @if let Some(date) = commit.date { ", committed " (date) }
                @if commit.working_tree { " with uncommitted changes of the working tree on top" }
            }
        }
    };
    html! {
        pre { "cargo perfcheck " (visible(&command)) }
        ul { (side("base", &report.range.base)) (side("head", &report.range.head)) }
    }
}
