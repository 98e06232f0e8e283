//! Whose fault it is that nothing could be built.

use super::BuildError;
use crate::units::Side;

/// What cargo says of a manifest, a lock file, a dependency or a build script that fails on every machine.
const OF_COMMIT: [&str; 13] = [
    "failed to run custom build command for",
    "failed to parse manifest",
    "failed to parse lock file",
    "failed to load manifest for",
    "failed to select a version for",
    "no matching package",
    "no targets specified in the manifest",
    "cyclic package dependency",
    "does not contain this feature",
    "does not contain these features",
    "none of the selected packages contain",
    "because it requires rustc",
    "is not supported by the following package",
];

/// What tools say of a machine that lacks memory, programs or the network. A compiler's message also quotes source: the
/// words are those of tools alone.
const OF_MACHINE: [&str; 12] = [
    "signal: 9",
    "signal 9",
    "Cannot allocate memory",
    "memory allocation of",
    "Could not connect to",
    "spurious network error",
    "offline mode",
    "Could not resolve host",
    "Too many open files",
    "failed to download",
    "linker `",
    "No space left on device",
];

fn is_of_machine(words: &str) -> bool {
    OF_MACHINE.iter().any(|said| words.contains(said))
}

/// Only what is recognised: a commit that is taken for broken is left out from then on.
fn is_of_commit(words: &str) -> bool {
    OF_COMMIT.iter().any(|said| words.contains(said)) && !is_of_machine(words)
}

impl BuildError {
    /// Whether it fails whichever benchmarks are asked for: options cannot help.
    pub(crate) fn is_whatever_is_asked_for(&self) -> bool {
        match self {
            BuildError::LeftBehind { cause, .. } => cause.is_whatever_is_asked_for(),
            BuildError::LinkedOut { .. }
            | BuildError::PathOutside { .. }
            | BuildError::LockFile { .. }
            | BuildError::DoesNotCompile { .. }
            | BuildError::ToolFailed { .. } => true,
            _ => false,
        }
    }

    /// The sides whose revisions are at fault: there, another run would fail in the same way. None where the fault is
    /// the machine's, or cannot be told from one.
    pub(crate) fn sides_at_fault(&self) -> Vec<Side> {
        match self {
            BuildError::NoManifest { at, .. }
            | BuildError::LinkedOut { at, .. }
            | BuildError::NoSuchPackage { at, .. }
            | BuildError::AmbiguousProgram { at, .. }
            | BuildError::ClashingPrograms { at, .. }
            | BuildError::PathOutside { at, .. }
            | BuildError::LockFile { at, .. } => vec![at.side],
            BuildError::DoesNotCompile { at, errors, .. } => match is_of_machine(errors) {
                true => Vec::new(),
                false => vec![at.side],
            },
            BuildError::ToolFailed { at, message, .. } => match is_of_commit(message) {
                true => vec![at.side],
                false => Vec::new(),
            },
            BuildError::LeftBehind { cause, .. } => cause.sides_at_fault(),
            BuildError::BenchesOneSided { side, .. } => vec![side.other()],
            BuildError::BenchesElsewhere { .. }
            | BuildError::NoSuchBench { .. }
            | BuildError::NoSuchProgram { .. }
            | BuildError::NoBenchTargets => Side::BOTH.to_vec(),
            BuildError::ForeignTarget { .. }
            | BuildError::NoRunner { .. }
            | BuildError::ToolMissing { .. }
            | BuildError::ToolOutput { .. }
            | BuildError::DiskFull { .. }
            | BuildError::Stale { .. }
            | BuildError::Disturbed { .. }
            | BuildError::Io { .. }
            | BuildError::Interrupted(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Where;
    use super::*;
    use crate::revision::Source;

    #[test]
    fn a_commit_is_at_fault_only_where_its_own_files_are_recognised() {
        let at_fault = |message: &str| {
            let at = Where {
                side: Side::Head,
                short_id: "1a2b3c4d5".to_owned(),
                source: Source::Commit,
            };
            let (command, message) = ("cargo bench --no-run".to_owned(), message.to_owned());
            !BuildError::ToolFailed {
                at,
                command,
                message,
            }
            .sides_at_fault()
            .is_empty()
        };
        for own in [
            "error: failed to run custom build command for `z v1.0.0 (/tmp/z)`\n  z.h is missing",
            "error: failed to parse manifest at `/tmp/a/Cargo.toml`\n\nCaused by:\n  invalid type",
            "error: failed to select a version for `serde`.",
        ] {
            assert!(at_fault(own), "{own}");
        }
        for of_machine in [
            "error: could not compile `a` (lib)\n  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
            "error: toolchain '1.80.0-x86_64-unknown-linux-gnu' is not installed",
            "error: failed to get `serde` as a dependency\n  [6] Could not resolve host: index.crates.io",
            "error: no matching package named `serde` found\n  you're using offline mode (--offline)",
            "something that nobody knows",
        ] {
            assert!(!at_fault(of_machine), "{of_machine}");
        }
    }
}
