//! What a service is on both sides.

use crate::build::Build;
use crate::discover::{Benchmark, FunctionDiff, Identity, Presence, Reached, Target};
use crate::plan::Service;
use crate::units::{BenchmarkKey, Paired, Side};

use super::fill::ServiceSide;
use super::row_kind::RowKind;

/// A service as benchmarks: its rows, on the sides that have its program.
#[must_use]
pub fn target(service: &Service, builds: &Paired<Build>) -> Target {
    let has = Paired::from_fn(|side| {
        let build = builds.get(side);
        let of = ServiceSide {
            side,
            build,
            service,
            limits: None,
        };
        of.command("0").is_some()
    });
    let presence = match (has.base, has.head) {
        (true, false) => Presence::Only(Side::Base),
        (false, true) => Presence::Only(Side::Head),
        // A program is on one side at least: two may each be on another one.
        _ => Presence::Common,
    };
    let key = key(service, builds);
    let rows = RowKind::of_service(service);
    let benchmark = |kind: RowKind| Benchmark {
        key: kind.key(&key),
        presence,
        throughput: Paired::new(None, None),
        failure: None,
        reached: Reached::Unknown,
    };
    Target {
        package: key.package.clone(),
        target: key.target.clone(),
        executables: Paired::new(None, None),
        criterion: Paired::new(None, None),
        identity: Identity::Different("it is a service".to_owned()),
        function_diff: FunctionDiff::default(),
        benchmarks: rows.into_iter().map(benchmark).collect(),
    }
}

/// What names a service: its rows have its id, and more.
#[must_use]
pub fn key(service: &Service, builds: &Paired<Build>) -> BenchmarkKey {
    let programs = builds.head.programs.iter().chain(&builds.base.programs);
    let wanted = service.programs();
    let is_own = |name: &str| wanted.iter().any(|program| program.name == name);
    let package = programs
        .filter(|program| is_own(&program.target))
        .map(|program| program.package.clone())
        .next();
    BenchmarkKey {
        package: package.unwrap_or_else(|| service.name.clone()),
        target: Service::TARGET.to_owned(),
        id: service.name.clone(),
    }
}
