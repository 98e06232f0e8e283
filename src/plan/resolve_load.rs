//! The plan of services under load.

use std::time::Duration;

use super::config::{Configuration, Limit};
use super::mode::Mode;
use super::{
    BenchmarkNeed, Environment, Extent, Layouts, LimitsSettings, LoadArgs, LoadTest, Pinning, Plan,
    PlanError, Profiling, RangeSpec, RoundLength, Sampling, Service, SoakSettings, manifest,
};
use crate::units::{Metric, Ratio};

impl Plan {
    /// The plan of `cargo perfcheck load`: services instead of benchmarks.
    ///
    /// # Errors
    /// As [`Plan::resolve`], or there is no such service.
    pub fn resolve_load(args: &LoadArgs, environment: &Environment) -> Result<Plan, PlanError> {
        let named = args.options.selection.manifest_path.as_deref();
        let manifest_path = manifest::find(named, &environment.cwd)?;
        let configured = Configuration::read(&manifest_path, environment)?;
        let known: Vec<&str> = configured
            .services
            .iter()
            .map(|(one, _)| one.name.as_str())
            .collect();
        let (name, range) = match &args.what[..] {
            [] => (None, None),
            [only] if known.contains(&only.as_str()) => (Some(only), None),
            [only] => (None, Some(only)),
            [name, range, ..] => (Some(name), Some(range)),
        };
        if let Some(name) = name
            && !known.contains(&name.as_str())
        {
            return Err(PlanError::NoSuchService {
                name: name.clone(),
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        if known.is_empty() {
            return Err(PlanError::NoService);
        }
        let range = RangeSpec::parse(range.map(String::as_str));
        let mut plan = Plan::of(&args.options, range, manifest_path, environment)?;
        plan.services
            .retain(|service| name.is_none_or(|name| *name == service.name));
        plan.workloads.clear();
        plan.selection.benchmarks = BenchmarkNeed::Unwanted;
        plan.selection.programs = plan
            .services
            .iter()
            .flat_map(|one| one.programs())
            .collect();
        plan.selection.programs.sort();
        plan.selection.programs.dedup();
        debug_assert_eq!(plan.extent(), Extent::Selection);
        for service in &mut plan.services {
            if !args.tests.is_empty() {
                service.tests.clone_from(&args.tests);
                service.tests.sort();
                service.tests.dedup();
            }
            fit(service, args);
        }
        plan.sampling = under_load(&plan);
        assume_thresholds(&mut plan);
        limit_neighbours(&mut plan)?;
        watch_long_enough(&plan)?;
        Ok(plan)
    }
}

/// How many rounds each test has, as the command line asks for.
fn fit(service: &mut Service, args: &LoadArgs) {
    let sampling = &args.options.sampling;
    let (typed, mode) = (sampling.rounds, Mode::of(sampling));
    service.rounds = match (typed, mode) {
        (Some(typed), _) => typed,
        (None, Mode::Quick) => service.rounds.div_ceil(2).max(2),
        (None, Mode::Thorough) => service.rounds * 2,
        (None, Mode::Usual) => service.rounds,
    };
    if mode == Mode::Quick {
        service.settings.soak.lasting /= 5;
    }
    for test in LoadTest::ALL {
        if let Some(rounds) = service.settings.rounds(test) {
            *rounds = match (typed, mode) {
                (Some(typed), _) => typed,
                // Half of them would show no change.
                (None, Mode::Quick | Mode::Usual) => *rounds,
                (None, Mode::Thorough) => *rounds * 2,
            };
        }
    }
}

/// The rows of some tests are coarser than those of benchmarks.
fn assume_thresholds(plan: &mut Plan) {
    let general = plan.thresholds.practical;
    for service in &plan.services {
        for test in &service.tests {
            let Some(own) = test.threshold() else {
                continue;
            };
            let own = Ratio::from_change(own.as_fraction());
            if own.ln() > general.ln() {
                let id = format!("{}/{}", service.name, test.name());
                let rules = &mut plan.sampling.rules;
                rules.assume_threshold(Service::TARGET, &id, own);
            }
        }
    }
}

/// What a tenant may suffer is a budget of the row, which an entry can replace.
fn limit_neighbours(plan: &mut Plan) -> Result<(), PlanError> {
    let test = LoadTest::NoisyNeighbour;
    for service in plan.services.iter().filter(|one| one.tests.contains(&test)) {
        if service.neighbours.is_empty() {
            let name = service.name.clone();
            return Err(PlanError::NoNeighbour { name });
        }
        let most = service.settings.neighbour.limit.as_fraction();
        let limit = |metric, limit| Limit {
            metric,
            limit,
            investigate: None,
        };
        let limits = vec![
            limit(Metric::NEIGHBOUR_SLOWDOWN, 1.0 + most),
            limit(Metric::NEIGHBOUR_LOSS, 1000.0 * most),
        ];
        let id = format!("{}/{}", service.name, test.name());
        plan.budgets.assume(Service::TARGET, &id, limits);
    }
    Ok(())
}

/// A side that has not recovered counts with the time for which it was watched: a limit from there on says nothing.
fn watch_long_enough(plan: &Plan) -> Result<(), PlanError> {
    let test = LoadTest::Spike;
    for service in plan.services.iter().filter(|one| one.tests.contains(&test)) {
        let watched = service.settings.spike.watched;
        let row = format!("{}/{}", service.name, test.name());
        let limits = plan.budgets.of_name(Service::TARGET, &row);
        let limit = limits
            .iter()
            .find(|one| one.metric == Metric::RECOVERY_TIME);
        let limit = limit.map(|one| Duration::from_nanos(one.limit as u64));
        if let Some(limit) = limit.filter(|limit| *limit >= watched) {
            return Err(PlanError::WatchedTooBriefly {
                row,
                limit,
                watched,
            });
        }
    }
    Ok(())
}

/// The most rounds that a test of the service has.
fn most_rounds(service: &Service) -> usize {
    let mut settings = service.settings;
    let rounds = service.tests.iter();
    let rounds = rounds.map(|test| match (*test, settings.rounds(*test)) {
        (LoadTest::Soak, _) => SoakSettings::BLOCKS,
        (LoadTest::Limits, _) => LimitsSettings::MOST_STEPS,
        (_, None) => service.rounds,
        (_, Some(own)) => *own,
    });
    rounds.max().unwrap_or(1)
}

/// How services are measured, as the report's method says it.
fn under_load(plan: &Plan) -> Sampling {
    let slices = plan.services.iter().map(|service| service.slice);
    let slice = slices.max().unwrap_or_default();
    Sampling {
        rounds: plan.services.iter().map(most_rounds).max().unwrap_or(1),
        warm_up: slice.mul_f64(Service::DISCARDED),
        measurement: slice,
        sample_size: 1,
        round_length: RoundLength::Asked,
        pinning: Pinning::Off,
        layouts: Layouts::Off,
        allocations: false,
        instructions: false,
        reach: false,
        profiling: Profiling::Off,
        ..plan.sampling.clone()
    }
}
