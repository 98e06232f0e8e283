//! What happens to each side of a service with less than it needs.

use super::{TestDetail, TestSection, TestTable, rate};
use crate::plan::LimitKind;
use crate::report::escape::visible;
use crate::report::words::{self, Naming, plural};
use crate::service::{
    LimitCourse, LimitMeans, LimitOutcome, LimitPressure, LimitStep, LimitsResult, ProcessEnd,
};
use crate::units::{Paired, Side, Unit};

pub(super) fn section(result: &LimitsResult, naming: Naming) -> TestSection {
    let remarks = Side::BOTH.map(|side| standing(result, side)).into_iter();
    let remarks = remarks.chain(result.steps.iter().filter_map(finding));
    let means = [means(result.means), not_tested(result)];
    TestSection {
        subject: naming.name(&result.key),
        what: format!(
            "{} under a load of {}, each with fresh processes",
            plural(result.steps.len(), "limit", "limits"),
            rate(result.rate)
        ),
        table: TestTable {
            headings: vec!["", "base", "head", "limit"],
            rows: result.steps.iter().map(row).collect(),
        },
        remarks: remarks.chain(means).collect(),
        detail: Some(needs(result)),
        plot: None,
    }
}

fn row(step: &LimitStep) -> Vec<String> {
    let outcome = |side| {
        let courses = step.attempts.iter().map(|both| both.get(side));
        let answered: f64 = courses.clone().map(|one| one.answered).sum();
        // One share for all attempts, so that those that went alike read alike.
        let alike = |one: &LimitCourse| LimitCourse {
            answered: answered / step.attempts.len() as f64,
            ..one.clone()
        };
        let told = courses.map(|one| course(&alike(one)));
        super::counted(told, step.attempts.len())
    };
    vec![
        pressure(step.pressure),
        outcome(Side::Base),
        outcome(Side::Head),
        amount(step),
    ]
}

fn pressure(pressure: LimitPressure) -> String {
    match pressure {
        LimitPressure::Memory { percent } => format!("memory, {percent} %"),
        LimitPressure::Files { percent } => format!("open files, {percent} %"),
        LimitPressure::Tasks { percent } => format!("threads, {percent} %"),
        LimitPressure::Processor { percent } => format!("processor, {percent} %"),
        LimitPressure::Connections { count } => format!("{count} connections"),
        LimitPressure::ConnectionsBeyondFiles { count } => {
            format!("{count} connections, too few files")
        }
    }
}

fn amount(step: &LimitStep) -> String {
    let Some(limit) = step.limit else {
        return "none".to_owned();
    };
    match step.pressure {
        LimitPressure::Memory { .. } => Unit::Bytes.show(limit),
        LimitPressure::Processor { .. } => format!("{limit:.2} processors"),
        LimitPressure::Tasks { .. } => plural(limit as usize, "thread", "threads"),
        _ => plural(limit as usize, "file", "files"),
    }
}

fn course(course: &LimitCourse) -> String {
    let failed = || words::share(((1.0 - course.answered) * 1e3).round() / 1e3);
    let told = match course.outcome {
        LimitOutcome::Served => "served".to_owned(),
        LimitOutcome::Slowed => "slowed".to_owned(),
        LimitOutcome::Refused => format!("refused {}", failed()),
        LimitOutcome::Dropped => format!("dropped {}", failed()),
        LimitOutcome::Wrong => "wrong answers".to_owned(),
        LimitOutcome::Hung => "hung".to_owned(),
        LimitOutcome::Died { end } => return format!("died ({})", ending(end)),
        LimitOutcome::NotStarted { end: Some(end) } => {
            return format!("did not start ({})", ending(end));
        }
        LimitOutcome::NotStarted { end: None } => return "did not start in time".to_owned(),
    };
    match course.again {
        true => told,
        false => format!("{told}, and not again"),
    }
}

fn ending(end: ProcessEnd) -> String {
    match end {
        ProcessEnd::Exited { status } => format!("status {status}"),
        ProcessEnd::Signal { signal } => format!("signal {signal}"),
        ProcessEnd::Unknown => "in an unknown way".to_owned(),
    }
}

/// What all limits come to for a side.
fn standing(result: &LimitsResult, side: Side) -> String {
    let breaks = |step: &&LimitStep| {
        step.attempts
            .iter()
            .any(|both| !both.get(side).withstands())
    };
    let broken = result.steps.iter().filter(breaks).count();
    let all = plural(result.steps.len(), "limit", "limits");
    match broken {
        0 => format!(
            "{side} withstands all {all}: it serves, slows down or refuses, and serves again"
        ),
        _ => format!("{side} does not withstand {broken} of {all}"),
    }
}

/// A limit that breaks a side, in one line.
fn finding(step: &LimitStep) -> Option<String> {
    let breaks = step.breaks();
    let whole = plural(step.attempts.len(), "attempt", "attempts");
    let (which, sides) = match (breaks.base, breaks.head) {
        (false, false) => {
            let mut attempts = step.attempts.iter();
            let differs = attempts.any(|both| both.base.withstands() != both.head.withstands());
            return differs.then(|| {
                format!(
                    "{}: one side broke, but not in every attempt",
                    pressure(step.pressure)
                )
            });
        }
        (false, true) => (
            format!("head breaks and base does not, in {whole}"),
            Side::Head,
        ),
        (true, false) => (
            format!("base breaks and head does not, in {whole}"),
            Side::Base,
        ),
        (true, true) => ("both sides break".to_owned(), Side::Head),
    };
    let broken = step
        .attempts
        .first()
        .map(|both: &Paired<_>| both.get(sides))?;
    // Who is killed had no time to say why.
    let killed = ProcessEnd::Signal { signal: 9 };
    let is_killed = broken.outcome == LimitOutcome::Died { end: killed };
    let said = broken.last_words.lines().last().filter(|_| !is_killed);
    let said = said.map_or_else(String::new, |line| {
        format!("; {sides} said: {}", visible(line))
    });
    Some(format!(
        "{}: {which}: {}{said}",
        pressure(step.pressure),
        course(broken)
    ))
}

fn means(means: LimitMeans) -> String {
    match means {
        LimitMeans::CgroupV2 => "limits are set by control groups (version 2), of open files by prlimit".to_owned(),
        LimitMeans::CgroupV1 => "limits are set by control groups (version 1), of open files by prlimit".to_owned(),
        LimitMeans::Prlimit => "limits are set by prlimit; that of memory is one of the address space of each process, not of its \
             resident memory, and a share of the address space that base needs"
            .to_owned(),
    }
}

fn not_tested(result: &LimitsResult) -> String {
    let grouped = result.left_out.iter().map(|kind| match kind {
        LimitKind::Memory => "memory",
        LimitKind::Files => "open files",
        LimitKind::Connections => "connections",
        LimitKind::Tasks => "threads",
        LimitKind::Processor => "the processor",
    });
    let grouped: Vec<&str> = grouped.collect();
    match grouped.is_empty() {
        true => "not tested: a slow or full disk".to_owned(),
        false => format!(
            "not tested: {} (they take a control group that perfcheck may make), and a slow or full disk",
            grouped.join(" and ")
        ),
    }
}

/// What each side needs with nothing limited.
fn needs(result: &LimitsResult) -> TestDetail {
    let row = |side: Side| {
        let needs = result.needs.get(side);
        let latency = needs.latency_ns;
        vec![
            side.name().to_owned(),
            Unit::Bytes.show(needs.memory as f64),
            Unit::Bytes.show(needs.resident as f64),
            needs.files.to_string(),
            needs.tasks.to_string(),
            format!("{:.2}", needs.processors),
            latency.map_or_else(String::new, |latency| Unit::Nanoseconds.show(latency)),
        ]
    };
    TestDetail {
        title: "what each side needs with nothing limited".to_owned(),
        table: TestTable {
            headings: vec![
                "",
                match result.means {
                    LimitMeans::Prlimit => "address space",
                    LimitMeans::CgroupV1 | LimitMeans::CgroupV2 => "memory of its group",
                },
                "resident",
                "open files",
                "threads",
                "processors",
                "median latency",
            ],
            rows: Side::BOTH.map(row).to_vec(),
        },
    }
}
