//! Which Criterion a package uses.

/// A package that benchmarks use under the name of Criterion: itself, a fork, or a layer above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriterionPackage {
    /// Its own name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl CriterionPackage {
    /// Criterion itself.
    #[must_use]
    pub fn itself(version: impl Into<String>) -> CriterionPackage {
        CriterionPackage {
            name: "criterion".to_owned(),
            version: version.into(),
        }
    }
}

impl std::fmt::Display for CriterionPackage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.name {
            "criterion" => f.write_str(&self.version),
            name => write!(f, "{name} {}", self.version),
        }
    }
}
