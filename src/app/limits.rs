//! Budgets and requirements of the configuration, against what was found.

use super::ready::Ready;
use crate::analyse::Comparison;
use crate::build::{self, BinarySize, BuildError};
use crate::discover::{Discovery, Presence};
use crate::judge::{self, BudgetCheck};
use crate::plan::config::Budgets;
use crate::plan::{Extent, Plan};
use crate::report;
use crate::scratch::Scratch;
use crate::units::{EventSink, Side};

/// What came of them.
pub(super) struct CheckedLimits {
    pub(super) checks: Vec<BudgetCheck>,
    /// Required entries that match no benchmark, as they were typed.
    pub(super) required_in_vain: Vec<String>,
    /// Budgets that match no benchmark, as they were typed.
    pub(super) budgets_in_vain: Vec<String>,
    /// Budgets that match no program, as they were typed.
    pub(super) programs_in_vain: Vec<String>,
}

/// How many budgets these benchmarks have. They share one error.
pub(super) fn of_benchmarks(discovery: &Discovery, budgets: &Budgets) -> usize {
    let targets = discovery.targets.iter();
    let benchmarks = targets.flat_map(|target| &target.benchmarks);
    let remaining = benchmarks.filter(|b| b.presence != Presence::Only(Side::Base));
    let limits = remaining.map(|b| budgets.of_benchmark(&b.key));
    limits.map(|limits| limits.len()).sum()
}

/// Builds the programs of both sides and measures their sizes.
pub(super) fn programs(
    plan: &Plan,
    ready: &Ready,
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Vec<BinarySize>, BuildError> {
    build::binary_sizes(&ready.builds, &plan.selection, scratch, events)
}

/// Checks the budgets. `programs` is `None` where they could not be built.
pub(super) fn check(
    plan: &Plan,
    ready: &Ready,
    comparisons: &[Comparison],
    programs: Option<&[BinarySize]>,
) -> CheckedLimits {
    let shared = judge::SharedError {
        confidence: plan.thresholds.confidence,
        elsewhere: ready.budgets_elsewhere,
    };
    let budgets = &plan.budgets;
    let built = programs.unwrap_or_default();
    let mut limits = CheckedLimits {
        checks: judge::check_budgets(comparisons, built, budgets, shared),
        required_in_vain: Vec::new(),
        budgets_in_vain: Vec::new(),
        programs_in_vain: Vec::new(),
    };
    // A user who asked for some of the benchmarks knows that the others are missing.
    if plan.extent() != Extent::Selection {
        limits.look_for_misses(plan, &ready.discovery, comparisons, programs);
    }
    limits
}

impl CheckedLimits {
    fn look_for_misses(
        &mut self,
        plan: &Plan,
        discovery: &Discovery,
        comparisons: &[Comparison],
        programs: Option<&[BinarySize]>,
    ) {
        let benchmarks = comparisons.iter().map(|comparison| &comparison.key);
        // The benchmarks of a target that failed are unknown.
        if discovery.is_whole() {
            self.required_in_vain = plan.sampling.rules.required_in_vain(benchmarks.clone());
        }
        self.budgets_in_vain = plan.budgets.without_benchmark(benchmarks);
        if let Some(programs) = programs {
            let programs = programs.iter().map(|b| (&*b.package, &*b.name));
            self.programs_in_vain = plan.budgets.without_binary(programs);
        }
    }

    /// Warnings about the budgets, as lower-case fragments. A shard gives only those that the other
    /// shards cannot change.
    pub(super) fn warnings(&self, extent: Extent) -> Vec<String> {
        let benchmarks = match extent {
            Extent::Shard => &[][..],
            Extent::Whole | Extent::Selection => &self.budgets_in_vain[..],
        };
        let of_benchmarks = benchmarks.iter().map(|p| report::budget_in_vain(p));
        let programs = self.programs_in_vain.iter();
        let of_programs = programs.map(|p| format!("a budget matches no program: {p}"));
        of_benchmarks.chain(of_programs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::Verdict;
    use crate::discover::{SkippedTarget, TargetOutcome};
    use crate::plan::{Args, Environment};
    use crate::units::{BenchmarkKey, Paired};

    const CONFIGURATION: &str = "\
        [[benchmark]]\nmatch = 'startup'\nrequired = true\n\
        [[budget]]\nmatch = 'gone/*'\np50 = '1ms'\n\
        [[budget]]\nmatch = 'sum'\np50 = '1ms'\n\
        [[budget]]\nbinary = 'serve'\nsize = '1 MiB'\n";

    fn plan(line: &str) -> Plan {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = 'it'\n[lib]\npath = 'lib.rs'\n";
        for (name, text) in [
            ("Cargo.toml", manifest),
            ("lib.rs", ""),
            ("perfcheck.toml", CONFIGURATION),
        ] {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let environment = Environment {
            cwd: folder.path().to_owned(),
            variables: std::collections::BTreeMap::new(),
            words: line.split(' ').map(Into::into).collect(),
            drawn_seed: 1,
        };
        let args = Args::from_words(&environment.words).unwrap();
        Plan::resolve(&args.compare, &environment).unwrap()
    }

    fn limits(plan: &Plan, skipped: Vec<SkippedTarget>) -> CheckedLimits {
        let key = BenchmarkKey::new("it", "it", "sum");
        let comparison = Comparison::unobserved(key, Verdict::Identical);
        let binary = BinarySize {
            package: "it".into(),
            name: "client".into(),
            size: Paired::new(None, None),
        };
        let mut limits = CheckedLimits {
            checks: Vec::new(),
            required_in_vain: Vec::new(),
            budgets_in_vain: Vec::new(),
            programs_in_vain: Vec::new(),
        };
        let discovery = Discovery {
            targets: Vec::new(),
            skipped,
            elsewhere: 0,
            notes: Vec::new(),
            last_words: Vec::new(),
        };
        limits.look_for_misses(plan, &discovery, &[comparison], Some(&[binary]));
        limits
    }

    #[test]
    fn what_is_configured_and_matches_nothing_is_told() {
        let limits = limits(&plan("cargo-perfcheck"), Vec::new());
        assert_eq!(limits.required_in_vain, ["startup"]);
        assert_eq!(
            limits.warnings(Extent::Whole),
            [
                "a budget matches no benchmark: gone/*",
                "a budget matches no program: serve"
            ]
        );
    }

    #[test]
    fn a_target_that_failed_may_hold_what_is_required_and_one_that_was_left_out_does_not_excuse_it()
    {
        let required_in_vain = |outcome| {
            let target = SkippedTarget {
                package: "it".into(),
                target: "other".into(),
                side: None,
                reason: "needs the features x".into(),
                outcome,
            };
            limits(&plan("cargo-perfcheck"), vec![target]).required_in_vain
        };
        assert_eq!(required_in_vain(TargetOutcome::Failed), [""; 0]);
        assert_eq!(required_in_vain(TargetOutcome::Skipped), ["startup"]);
    }

    #[test]
    fn a_shard_leaves_to_the_whole_what_it_cannot_know() {
        let limits = limits(&plan("cargo-perfcheck"), Vec::new());
        assert_eq!(
            limits.warnings(Extent::Shard),
            ["a budget matches no program: serve"]
        );
    }

    #[test]
    fn a_shard_is_told_from_a_selection() {
        let extent = |line: &str| plan(&format!("cargo-perfcheck {line}")).extent();
        assert_eq!(plan("cargo-perfcheck").extent(), Extent::Whole);
        assert_eq!(extent("--partition hash:1/4"), Extent::Shard);
        for line in ["--filter sum", "-p it", "--bench it"] {
            assert_eq!(extent(line), Extent::Selection, "{line}");
            let line = format!("{line} --partition hash:1/4");
            assert_eq!(extent(&line), Extent::Selection, "{line}");
        }
    }
}
