//! Whether benchmarks can be put on the processor that the plan names, asked before anything is built.

use super::failure::RunFailure;
use crate::measure::MeasureError;
use crate::plan::{Pinning, Plan, PlanError};
use crate::process::{Placement, allowed_processors};

/// The plan, with pinning as this machine allows it.
///
/// # Errors
/// The processor of `--pin` does not exist, may not be used, or the system does not allow pinning.
pub(super) fn settle(plan: Plan) -> Result<Plan, RunFailure> {
    settle_among(plan, allowed_processors(), Placement::attempt)
}

fn settle_among(
    mut plan: Plan,
    allowed: Vec<usize>,
    attempt: impl Fn(Placement) -> std::io::Result<()>,
) -> Result<Plan, RunFailure> {
    match plan.sampling.pinning {
        Pinning::Off => {}
        Pinning::Cpu(cpu) => {
            if !allowed.is_empty() && !allowed.contains(&cpu) {
                return Err(PlanError::NoProcessor { cpu, allowed }.into());
            }
            attempt(Placement::On(cpu))
                .map_err(|source| MeasureError::CannotPin { cpu, source })?;
        }
        // Without a choice nothing will be pinned.
        Pinning::Auto if allowed.len() < 2 => {}
        Pinning::Auto => {
            if let Some(Err(error)) = allowed.first().map(|cpu| attempt(Placement::On(*cpu))) {
                plan.sampling.pinning = Pinning::Off;
                plan.warnings.push(format!(
                    "benchmarks are not pinned to one processor, which adds noise: the system \
                     refuses it ({error})"
                ));
            }
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::plan::{Args, Environment, ExitStatus};

    fn plan(pin: &str) -> Plan {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        let words = ["cargo-perfcheck", "perfcheck", "--pin", pin];
        let args = Args::from_words(&words.map(Into::into)).unwrap();
        let environment = Environment {
            cwd: folder.path().to_owned(),
            variables: [].into(),
            words: Vec::new(),
            drawn_seed: 1,
        };
        Plan::resolve(&args.compare, &environment).unwrap()
    }

    fn forbidden(_: Placement) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    #[test]
    fn a_processor_that_is_missing_is_a_mistake_of_usage() {
        for number in ["5000", "2"] {
            let failure = settle_among(plan(number), vec![0, 1], |_| Ok(())).unwrap_err();
            assert_eq!(failure.status, ExitStatus::Usage);
            let mut text = Vec::new();
            failure.print(&mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains(&format!("processor {number} ")), "{text}");
            assert!(
                text.contains("0 to 1") && text.contains("`--pin 1`"),
                "{text}"
            );
        }
        assert!(settle_among(plan("1"), vec![0, 1], |_| Ok(())).is_ok());
    }

    #[test]
    fn where_pinning_is_forbidden_an_explicit_wish_fails_and_the_default_goes_without() {
        let failure = settle_among(plan("1"), vec![0, 1], forbidden).unwrap_err();
        assert_eq!(failure.status, ExitStatus::Incomplete);
        let free = settle_among(plan("auto"), vec![0, 1], forbidden).unwrap();
        assert_eq!(free.sampling.pinning, Pinning::Off);
        assert!(free.warnings.iter().any(|w| w.contains("not pinned")));
        let off = settle_among(plan("off"), vec![0, 1], forbidden).unwrap();
        assert_eq!(off.warnings, plan("off").warnings);
    }
}
