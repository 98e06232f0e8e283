//! Budgets and requirements of the configuration, against what was found.

use super::failure::Failure;
use super::ready::Ready;
use crate::analyse::{self, BudgetCheck, Comparison};
use crate::build::{self, BinarySize};
use crate::discover::SkippedTarget;
use crate::plan::Plan;
use crate::scratch::Scratch;
use crate::units::EventSink;

/// What came of them.
pub(super) struct Limits {
    pub(super) checks: Vec<BudgetCheck>,
    /// Required entries that speak of no benchmark, as they were typed.
    pub(super) required_in_vain: Vec<String>,
    /// What to tell, as lower-case fragments.
    pub(super) warnings: Vec<String>,
}

/// Checks the budgets; programs are built only where one speaks of them.
pub(super) fn check(
    plan: &Plan,
    ready: &Ready,
    comparisons: &[Comparison],
    scratch: &Scratch,
    events: EventSink<'_>,
) -> Result<Limits, Failure> {
    let binaries = if plan.budgets.speak_of_binaries() {
        build::binary_sizes(&ready.builds, &plan.selection, scratch, events)?
    } else {
        Vec::new()
    };
    let confidence = plan.thresholds.confidence;
    let mut limits = Limits {
        checks: analyse::check_budgets(comparisons, &binaries, &plan.budgets, confidence),
        required_in_vain: Vec::new(),
        warnings: Vec::new(),
    };
    // Whoever asked for a part of the benchmarks knows that the rest is not there.
    if plan.is_whole() {
        limits.look_for_misses(plan, &ready.discovery.skipped, comparisons, &binaries);
    }
    Ok(limits)
}

impl Limits {
    fn look_for_misses(
        &mut self,
        plan: &Plan,
        skipped: &[SkippedTarget],
        comparisons: &[Comparison],
        binaries: &[BinarySize],
    ) {
        let keys = comparisons.iter().map(|comparison| &comparison.key);
        let benchmarks = keys.map(|key| (&*key.package, &*key.target, &*key.id));
        // The benchmarks of a target that was skipped are not known.
        if skipped.is_empty() {
            self.required_in_vain = plan.sampling.rules.required_in_vain(benchmarks.clone());
        }
        let binaries = binaries.iter().map(|b| (&*b.package, &*b.name));
        let in_vain = plan.budgets.without_benchmark(benchmarks);
        let warn = |what: &str, pattern: String| format!("a budget matches no {what}: {pattern}");
        self.warnings
            .extend(in_vain.into_iter().map(|p| warn("benchmark", p)));
        let in_vain = plan.budgets.without_binary(binaries);
        self.warnings
            .extend(in_vain.into_iter().map(|p| warn("program", p)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::Verdict;
    use crate::discover::BenchmarkKey;
    use crate::plan::{Args, Environment};
    use crate::units::Paired;

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

    fn limits(plan: &Plan, skipped: Vec<SkippedTarget>) -> Limits {
        let comparison = Comparison {
            key: BenchmarkKey {
                package: "it".into(),
                target: "it".into(),
                id: "sum".into(),
            },
            verdict: Verdict::Identical,
            pairing: None,
            throughput: None,
            time: None,
            allocations: None,
            failure: None,
            notes: Vec::new(),
        };
        let binary = BinarySize {
            package: "it".into(),
            name: "client".into(),
            size: Paired::new(None, None),
        };
        let mut limits = Limits {
            checks: Vec::new(),
            required_in_vain: Vec::new(),
            warnings: Vec::new(),
        };
        limits.look_for_misses(plan, &skipped, &[comparison], &[binary]);
        limits
    }

    #[test]
    fn what_is_configured_and_matches_nothing_is_told() {
        let limits = limits(&plan("cargo-perfcheck"), Vec::new());
        assert_eq!(limits.required_in_vain, ["startup"]);
        assert_eq!(
            limits.warnings,
            [
                "a budget matches no benchmark: gone/*",
                "a budget matches no program: serve"
            ]
        );
    }

    #[test]
    fn a_target_that_was_skipped_may_hold_what_is_required() {
        let skipped = SkippedTarget {
            package: "it".into(),
            target: "other".into(),
            side: None,
            reason: "needs the features x".into(),
        };
        let limits = limits(&plan("cargo-perfcheck"), vec![skipped]);
        assert_eq!(limits.required_in_vain, [""; 0]);
    }

    #[test]
    fn whoever_asks_for_a_part_is_not_told_that_the_rest_is_missing() {
        assert!(plan("cargo-perfcheck").is_whole());
        for line in [
            "--filter sum",
            "-p it",
            "--bench it",
            "--partition hash:1/4",
        ] {
            assert!(
                !plan(&format!("cargo-perfcheck {line}")).is_whole(),
                "{line}"
            );
        }
    }
}
