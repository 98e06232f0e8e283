//! Whether Valgrind is there where instructions are to be counted, asked before anything is built.

use super::failure::RunFailure;
use crate::plan::{Plan, PlanError};
use crate::process::{Valgrind, ValgrindError};

/// The plan, with the pass that counts instructions as this machine allows it.
///
/// # Errors
/// There is no Valgrind, and nothing but instructions was to be counted.
pub(super) fn settle(plan: Plan) -> Result<Plan, RunFailure> {
    settle_with(plan, Valgrind::find)
}

fn settle_with(
    mut plan: Plan,
    find: impl FnOnce() -> Result<Valgrind, ValgrindError>,
) -> Result<Plan, RunFailure> {
    if !plan.sampling.instructions {
        return Ok(plan);
    }
    match find() {
        Ok(_) => {}
        Err(error) if plan.sampling.only.is_some() => return Err(PlanError::from(error).into()),
        Err(error) => {
            plan.sampling.instructions = false;
            plan.warnings.push(format!(
                "instructions are not counted, since {error}: {}",
                error.hint()
            ));
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Args, Environment, ExitStatus};

    fn plan(line: &str) -> Plan {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = 'it'\n[lib]\npath = 'lib.rs'\n";
        for (name, text) in [("Cargo.toml", manifest), ("lib.rs", "")] {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let environment = Environment {
            cwd: folder.path().to_owned(),
            variables: Default::default(),
            words: line.split(' ').map(Into::into).collect(),
            drawn_seed: 1,
        };
        let args = Args::from_words(&environment.words).unwrap();
        Plan::resolve(&args.compare, &environment).unwrap()
    }

    fn missing() -> Result<Valgrind, ValgrindError> {
        Err(std::io::Error::from(std::io::ErrorKind::NotFound).into())
    }

    #[test]
    fn without_valgrind_the_rest_is_measured_and_the_report_says_what_is_missing() {
        let plan = settle_with(plan("cargo-perfcheck --instructions"), missing).unwrap();
        assert!(!plan.sampling.instructions && plan.sampling.allocations);
        let warning = plan.warnings.last().unwrap();
        assert!(warning.contains("apt-get install valgrind"), "{warning}");
    }

    #[test]
    fn a_run_for_instructions_alone_needs_valgrind() {
        let failure = settle_with(plan("cargo-perfcheck --only instructions"), missing);
        assert_eq!(failure.unwrap_err().status, ExitStatus::Usage);
    }

    #[test]
    fn nobody_looks_for_valgrind_who_does_not_count_instructions() {
        let nobody = || -> Result<Valgrind, ValgrindError> { unreachable!("it is not needed") };
        let usual = settle_with(plan("cargo-perfcheck"), nobody).unwrap();
        assert!(!usual.sampling.instructions);
        let undone = plan("cargo-perfcheck --instructions --no-instructions");
        assert!(!undone.sampling.instructions);
    }
}
