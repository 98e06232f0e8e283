//! Bench targets that do not compile, while others do.
//!
//! `cargo bench` ends with the first target that does not compile and has no way to go on. So the others
//! are asked for once more without it; what cargo has made by then is not made again.

use cargo_metadata::{CompilerMessage, Package, PackageId, TargetKind};

use super::workspace::benches;
use super::{Executable, UnbuiltTarget};
use crate::plan::Selection;

/// A bench target that does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenTarget {
    /// The package's name.
    pub package: String,
    /// The bench target's name.
    pub target: String,
    /// The compiler's own words, several lines.
    pub errors: String,
}

impl BrokenTarget {
    /// Why it has no benchmarks, as a lower-case fragment.
    #[must_use]
    pub fn reason(&self) -> String {
        let first = self.errors.lines().find(|line| !line.trim().is_empty());
        format!("does not compile: {}", first.unwrap_or_default().trim())
    }
}

/// What the compiler rejected in one run of cargo.
#[derive(Debug, Default)]
pub(super) struct Errors {
    of_benches: Vec<(PackageId, String, String)>,
    /// Of anything else: without it no benchmark is built.
    others: Vec<String>,
}

impl Errors {
    pub(super) fn push(&mut self, message: CompilerMessage) {
        let Some(rendered) = message.message.rendered else {
            return;
        };
        if !message.target.is_kind(TargetKind::Bench) {
            self.others.push(rendered);
            return;
        }
        let (package, target) = (message.package_id, message.target.name);
        let mut known = self.of_benches.iter_mut();
        match known.find(|(p, t, _)| *p == package && *t == target) {
            Some((_, _, errors)) => errors.push_str(&rendered),
            None => self.of_benches.push((package, target, rendered)),
        }
    }

    /// All of them.
    pub(super) fn rendered(&self) -> String {
        let of_benches = self.of_benches.iter().map(|(_, _, errors)| errors.as_str());
        let others = self.others.iter().map(String::as_str);
        others.chain(of_benches).collect()
    }

    /// The bench targets that do not compile, where everything else does.
    pub(super) fn broken(self, name_of: impl Fn(&PackageId) -> String) -> Vec<BrokenTarget> {
        if !self.others.is_empty() {
            return Vec::new();
        }
        let broken = self.of_benches.into_iter();
        broken
            .map(|(package, target, errors)| BrokenTarget {
                package: name_of(&package),
                target,
                errors: errors.trim_end().to_owned(),
            })
            .collect()
    }
}

/// The selected bench targets that are neither among `executables` nor broken.
pub(super) fn unbuilt(
    selected: &[&Package],
    executables: &[Executable],
    broken: &[BrokenTarget],
    selection: &Selection,
) -> Vec<UnbuiltTarget> {
    let built = |package: &Package, target: &str| {
        let named = |p: &str, t: &str| package.name.as_str() == p && target == t;
        executables.iter().any(|e| named(&e.package, &e.target))
            || broken.iter().any(|b| named(&b.package, &b.target))
    };
    let mut unbuilt = Vec::new();
    for package in selected {
        for target in benches(package).filter(|target| !built(package, &target.name)) {
            if !selection.benches.is_empty() {
                continue;
            }
            let reason = if broken.iter().any(|broken| broken.target == target.name) {
                "has the name of a target that does not compile".to_owned()
            } else if target.required_features.is_empty() {
                "switched off in its manifest (`bench = false`)".to_owned()
            } else {
                format!("needs the features {}", target.required_features.join(", "))
            };
            unbuilt.push(UnbuiltTarget {
                package: package.name.to_string(),
                target: target.name.clone(),
                reason,
            });
        }
    }
    unbuilt.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
    unbuilt
}
