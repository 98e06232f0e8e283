//! Matches workloads across the sides.

use std::path::Path;

use regex::Regex;

use crate::build::{Build, Executable};
use crate::discover::{Benchmark, FunctionDiff, Presence, Reached, Target, identities};
use crate::plan::{Plan, Workload};
use crate::units::{BenchmarkKey, Paired, Side};

use super::fill::{FilledWorkload, Filler, is_library_path};
use super::sides_differ::identity;
use super::{MatchedWorkload, TARGET, Workloads};

/// The workloads of the plan that its filter accepts.
#[must_use]
pub fn find(builds: &Paired<Build>, plan: &Plan) -> Workloads {
    // Discovery has complained of one that cannot be read.
    let filter = plan.filter.as_deref().map(Regex::new);
    let accepts = |name: &str| match &filter {
        Some(Ok(filter)) => filter.is_match(name),
        _ => true,
    };
    // What lengthens benchmarks on purpose does not reach programs.
    let wanted = plan
        .workloads
        .iter()
        .filter(|workload| plan.sampling.inject.is_none() && accepts(&workload.name));
    Workloads(
        wanted
            .map(|workload| matched(workload, builds, plan))
            .collect(),
    )
}

fn matched(workload: &Workload, builds: &Paired<Build>, plan: &Plan) -> MatchedWorkload {
    let fillers = Paired::from_fn(|side| Filler {
        side,
        build: builds.get(side),
    });
    let sides = fillers.as_ref().map(|filler| filler.workload(workload));
    let programs: Vec<Paired<Option<Executable>>> = workload
        .programs()
        .into_iter()
        .map(|name| {
            fillers
                .as_ref()
                .map(|filler| Some(as_run(filler.program(name)?)))
        })
        .collect();
    let pairs: Vec<Paired<Option<&Executable>>> = programs
        .iter()
        .map(|pair| pair.as_ref().map(Option::as_ref))
        .collect();
    let identity = identity(workload, &sides, identities(builds, &pairs));
    let executables = programs.into_iter().next();
    let executables = executables.unwrap_or_else(|| Paired::new(None, None));
    let package = package(&executables, builds);
    let benchmark = Benchmark {
        key: BenchmarkKey {
            package: package.clone(),
            target: TARGET.to_owned(),
            id: workload.name.clone(),
        },
        presence: presence(&sides),
        throughput: Paired::new(None, None),
        failure: None,
        reached: Reached::Unknown,
    };
    MatchedWorkload {
        target: Target {
            package,
            target: TARGET.to_owned(),
            executables,
            criterion: Paired::new(None, None),
            identity,
            function_diff: FunctionDiff::default(),
            benchmarks: vec![benchmark],
        },
        sides,
        exit_codes: workload.exit_codes.clone(),
        timeout: workload.timeout.unwrap_or(plan.sampling.timeout),
        from: workload.from.clone(),
        metrics: workload.metrics.iter().map(|one| one.metric).collect(),
        warm_up: workload.warm_up,
    }
}

fn presence(sides: &Paired<Option<FilledWorkload>>) -> Presence {
    match (&sides.base, &sides.head) {
        (Some(_), None) => Presence::Only(Side::Base),
        (None, Some(_)) => Presence::Only(Side::Head),
        // Every program is on one side at least: two programs may each be on another one.
        _ => Presence::Common,
    }
}

/// A program in the environment in which a workload runs it.
fn as_run(program: &Executable) -> Executable {
    let mut program = program.clone();
    program.env.retain(|(name, _)| is_library_path(name));
    program
}

/// The package of the first program, or else the name of the repository.
fn package(executables: &Paired<Option<Executable>>, builds: &Paired<Build>) -> String {
    let program = executables.head.as_ref().or(executables.base.as_ref());
    program.map_or_else(
        || {
            let root: &Path = &builds.head.checkout.original_root;
            let name = root.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        },
        |program| program.package.clone(),
    )
}
