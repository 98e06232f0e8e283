//! Which Criterion speaks.

/// The version of Criterion in a benchmark executable, as the executable reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CriterionVersion {
    /// Major.
    pub major: u8,
    /// Minor.
    pub minor: u8,
    /// Patch.
    pub patch: u8,
}

impl CriterionVersion {
    /// Whether `--warm-up-time` and `--measurement-time` accept whole seconds only, as they do up
    /// to 0.3.6; a fraction makes those versions exit with status 1.
    #[must_use]
    pub fn wants_whole_seconds(self) -> bool {
        (self.major, self.minor) < (0, 4)
    }

    /// Whether it supports `--quick` (since 0.4.0).
    #[must_use]
    pub fn has_quick_mode(self) -> bool {
        (self.major, self.minor) >= (0, 4)
    }
}

impl std::fmt::Display for CriterionVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
