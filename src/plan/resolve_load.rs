//! The plan of services under load.

use super::config::Configuration;
use super::mode::Mode;
use super::{
    BenchmarkNeed, Environment, Extent, Layouts, LoadArgs, Pinning, Plan, PlanError, Profiling,
    RangeSpec, RoundLength, Sampling, Service, manifest,
};

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
            service.rounds = match (
                args.options.sampling.rounds,
                Mode::of(&args.options.sampling),
            ) {
                (Some(typed), _) => typed,
                (None, Mode::Quick) => service.rounds.div_ceil(2).max(2),
                (None, Mode::Thorough) => service.rounds * 2,
                (None, _) => service.rounds,
            };
        }
        plan.sampling = under_load(&plan);
        Ok(plan)
    }
}

/// How services are measured, as the report's method says it.
fn under_load(plan: &Plan) -> Sampling {
    let slices = plan.services.iter().map(|service| service.slice);
    let slice = slices.max().unwrap_or_default();
    Sampling {
        rounds: plan
            .services
            .iter()
            .map(|service| service.rounds)
            .max()
            .unwrap_or(1),
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
