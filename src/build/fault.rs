//! Whose fault it is that nothing could be built.

use super::BuildError;
use crate::units::Side;

impl BuildError {
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
            | BuildError::DoesNotCompile { at, .. }
            | BuildError::LockFile { at, .. }
            | BuildError::ToolFailed { at, .. } => vec![at.side],
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
