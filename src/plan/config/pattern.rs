//! Globs of names: of packages, targets, benchmarks and programs.

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::units::BenchmarkKey;

/// A glob, ready to match. `*` also matches `/`: ids have as many levels as their authors like.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    glob: Glob,
    matcher: GlobMatcher,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.glob == other.glob
    }
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Pattern, globset::Error> {
        // Ids are no paths: a backslash and a separator mean nothing special in them.
        let glob = GlobBuilder::new(text)
            .literal_separator(false)
            .backslash_escape(true)
            .build()?;
        let matcher = glob.compile_matcher();
        Ok(Pattern { glob, matcher })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }

    /// As it was typed.
    pub(super) fn as_str(&self) -> &str {
        self.glob.glob()
    }
}

/// Which benchmarks an entry speaks of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selector {
    pub(super) package: Pattern,
    pub(super) target: Pattern,
    pub(super) id: Pattern,
}

impl Selector {
    /// One benchmark, whatever its package. An escaped name is always a glob.
    pub(super) fn exactly(target: &str, id: &str) -> Option<Selector> {
        let exactly = |name: &str| Pattern::new(&globset::escape(name)).ok();
        Some(Selector {
            package: Pattern::new("*").ok()?,
            target: exactly(target)?,
            id: exactly(id)?,
        })
    }

    pub(super) fn speaks_of(&self, key: &BenchmarkKey) -> bool {
        self.package.is_match(&key.package) && self.may_speak_of(&key.target, &key.id)
    }

    /// Whether it speaks of a benchmark of this name in some package.
    pub(super) fn may_speak_of(&self, target: &str, id: &str) -> bool {
        self.target.is_match(target) && self.id.is_match(id)
    }
}

impl std::fmt::Display for Selector {
    /// The glob of the id, and what else is narrowed down.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id.as_str())?;
        for (what, pattern) in [("package", &self.package), ("target", &self.target)] {
            if pattern.as_str() != "*" {
                write!(f, ", {what} {}", pattern.as_str())?;
            }
        }
        Ok(())
    }
}
