//! The facts for readers who want to check: every number, the machine, the method, the command.

use std::collections::BTreeMap;

use super::detail::split;
use super::escape::{fenced, words as plain};
use super::sections::{Page, fold};
use crate::analyse::Comparison;
use crate::measure::Pairing;
use crate::report::escape::shortened;
use crate::report::{Report, percentiles, unseen, words};
use crate::units::{Metric, MetricGroup, Paired, Side, command_line};

impl Page<'_> {
    pub(super) fn baseline(&self, out: &mut String) {
        let timed: Vec<&Comparison> = words::ordered(self.report)
            .into_iter()
            .filter(|c| c.time().is_some())
            .collect();
        if timed.is_empty() {
            return;
        }
        let (shown, more) = split(&timed, self.detail.baseline);
        let mut body = String::new();
        if !shown.is_empty() {
            let names: Vec<&str> = MetricGroup::Time
                .metrics()
                .map(|metric| metric.name)
                .collect();
            body.push_str(&format!(
                "Time per iteration, base → head. Percentiles and the standard deviation are of what *each value* says.\n\n| benchmark | {} | each value | change | rounds | p | smallest visible change |\n|---|{}--:|--:|--:|--:|--:|\n",
                names.join(" | "),
                "--:|".repeat(names.len())
            ));
        }
        for comparison in shown {
            body.push_str(&self.baseline_row(comparison));
        }
        self.more(&mut body, more, "benchmarks");
        fold(
            out,
            "Baseline, before and after: mean, p50, p95, p99, standard deviation",
            &body,
        );
    }

    fn baseline_row(&self, comparison: &Comparison) -> String {
        let Some(time) = comparison.time() else {
            return String::new();
        };
        let both = |metric: Metric| {
            let show = |side| {
                comparison
                    .value(metric, side)
                    .map(|value| metric.unit.show(value))
            };
            let parts = Side::BOTH.map(|side| show(side).unwrap_or("–".to_owned()));
            parts.join(" → ")
        };
        let figures = MetricGroup::Time.metrics().map(both);
        let figures: Vec<String> = figures.collect();
        let change = time.estimate.as_ref();
        format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            self.name(comparison),
            figures.join(" | "),
            percentiles::in_short(time),
            change.map(|c| c.ratio.to_string()).unwrap_or_default(),
            time.rounds.len(),
            change
                .map(|c| words::p_value(c.p_value))
                .unwrap_or_default(),
            change
                .map(|c| format!("±{}", words::share(c.detectable)))
                .unwrap_or_default(),
        )
    }

    pub(super) fn environment(&self, out: &mut String) {
        let e = &self.report.environment;
        let mut body = String::from("| | |\n|---|---|\n");
        let mut row = |key: &str, value: String| body.push_str(&format!("| {key} | {value} |\n"));
        if let Some(date) = self.report.date {
            row("measured", date.to_string());
        }
        row(
            "CPU",
            format!(
                "{}, {}",
                self.text(&e.machine.cpu),
                words::plural(e.machine.cores, "processor", "processors")
            ),
        );
        row("memory", words::memory(e));
        row(
            "system",
            format!("{}, kernel {}", self.text(&e.os), self.text(&e.kernel)),
        );
        if let Some(hypervisor) = &e.machine.virtualised {
            row("virtual machine", self.text(hypervisor));
        }
        row("load at start", format!("{:.2}", e.load_at_start));
        if let Some(steal) = e.steal {
            row("time stolen by other tenants", words::share(steal));
        }
        row("rustc", self.sides(&e.rustc));
        row("cargo", self.sides(&e.cargo));
        if let Some(toolchain) = &e.toolchain {
            row("toolchain", self.sides(toolchain));
        }
        row("host", self.text(&e.host));
        row("profile", self.text(&e.profile));
        row("Criterion", self.sides(&e.criterion.as_ref().map(versions)));
        if let Some(locking) = words::locking(e) {
            row("Cargo.lock", locking.to_owned());
        }
        if let Some(place) = &e.place {
            row("place", self.text(place));
        }
        if !e.carried.is_empty() {
            row("carried", self.text(&e.carried.join(", ")));
        }
        fold(out, "Environment", &body);
    }

    fn sides(&self, both: &Paired<String>) -> String {
        if both.base == both.head {
            self.text(&both.base)
        } else {
            format!("{} → {}", self.text(&both.base), self.text(&both.head))
        }
    }

    pub(super) fn methodology(&self, out: &mut String) {
        let m = &self.report.methodology;
        let mut body = String::new();
        let mut item = |text: String| body.push_str(&format!("- {text}\n"));
        item(format!(
            "up to {} per benchmark; {}",
            words::plural(m.max_rounds, "round", "rounds"),
            self.text(&m.order)
        ));
        item(format!(
            "in a round: {} s warm-up, {} s measurement, {} samples requested; settings in the benchmark's code take precedence",
            m.warm_up_seconds, m.measurement_seconds, m.sample_size
        ));
        item(format!(
            "a change counts above ±{}; {}",
            words::share(m.threshold),
            self.text(&m.correction)
        ));
        if let Some(unseen) = unseen::modes(self.report) {
            item(unseen);
        }
        item(format!("pairing: {}", pairings(self.report)));
        item(format!("processors: {}", self.text(&m.pinning)));
        if let Some(layouts) = m.layouts {
            item(format!("layouts of the code: {}", words::layouts(layouts)));
        }
        item(format!("seed {}", m.seed));
        if let Some(part) = m.partition {
            item(words::part(part));
        }
        let spent: Vec<String> = m
            .timings
            .iter()
            .map(|t| format!("{} {:.0} s", self.text(&t.stage), t.seconds))
            .collect();
        if !spent.is_empty() {
            item(format!("time spent: {}", spent.join(", ")));
        }
        fold(out, "Methodology", &body);
    }

    pub(super) fn reproduce(&self, out: &mut String) {
        let words = self
            .report
            .methodology
            .command_line
            .iter()
            .map(String::as_str);
        let command = shortened(&format!("cargo perfcheck {}", command_line(words)), 4_000);
        let range = &self.report.range;
        let mut body = fenced("sh", &command);
        for (side, commit) in [("base", &range.base), ("head", &range.head)] {
            let extra = if commit.working_tree {
                " with uncommitted changes of the working tree on top"
            } else {
                ""
            };
            let date = commit
                .date
                .map_or(String::new(), |date| format!(", committed {date}"));
            body.push_str(&format!(
                "\n- {side}: {} is {}{date}{extra}",
                self.code(&commit.label),
                self.code(&commit.commit)
            ));
        }
        body.push('\n');
        fold(out, "How to reproduce", &body);
        out.push_str(&format!(
            "\n<sub>cargo-perfcheck {}</sub>\n",
            plain(&self.report.perfcheck_version)
        ));
    }
}

fn versions(of: &BTreeMap<String, String>) -> String {
    let mut distinct: Vec<&str> = of.values().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if let [one] = distinct[..] {
        return one.to_owned();
    }
    let parts: Vec<String> = of
        .iter()
        .map(|(package, version)| format!("{package}: {version}"))
        .collect();
    parts.join(", ")
}

fn pairings(report: &Report) -> String {
    let of = |wanted| {
        report
            .benchmarks
            .iter()
            .filter(|c| c.pairing == Some(wanted))
            .count()
    };
    let (sample, benchmark) = (of(Pairing::Sample), of(Pairing::Benchmark));
    format!("{sample} by sample, {benchmark} by benchmark")
}
