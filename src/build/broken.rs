//! Bench targets that do not compile, while others do.
//!
//! `cargo bench` stops at the first target that does not compile and has no option to go on. So perfcheck asks
//! cargo for the others again, without that target; cargo does not repeat what it has already made.

use cargo_metadata::{CompilerMessage, Package, PackageId, TargetKind};

use super::workspace::{Workspace, benches};
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

/// A package that cannot be built, its benchmarks aside.
#[derive(Debug, Clone)]
pub(super) struct BrokenPackage {
    pub(super) id: PackageId,
    /// The messages of the compiler or of cargo, several lines.
    pub(super) errors: String,
}

/// What the compiler rejected in one run of cargo.
#[derive(Debug, Default)]
pub(super) struct Errors {
    of_benches: Vec<(PackageId, String, String)>,
    /// Errors in anything else: nothing that depends on it can be built.
    others: Vec<BrokenPackage>,
}

impl Errors {
    pub(super) fn push(&mut self, message: CompilerMessage) {
        let Some(rendered) = message.message.rendered else {
            return;
        };
        if !message.target.is_kind(TargetKind::Bench) {
            self.others.push(BrokenPackage {
                id: message.package_id,
                errors: rendered,
            });
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
        let others = self.others.iter().map(|other| other.errors.as_str());
        others.chain(of_benches).collect()
    }

    /// The packages that do not compile, whatever their benchmarks do.
    pub(super) fn packages(&self) -> Vec<BrokenPackage> {
        self.others.clone()
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

/// The packages whose build scripts failed, from cargo's output: it has no JSON message for that.
pub(super) fn of_scripts(workspace: &Workspace, words: &str) -> Vec<BrokenPackage> {
    let said = "failed to run custom build command for `";
    let (Some((_, named)), Some(telling)) = (words.split_once(said), telling_line(words)) else {
        return Vec::new();
    };
    let is_named = |package: &&Package| {
        let name = format!("{} v{}", package.name, package.version);
        let rest = named.strip_prefix(&name);
        rest.is_some_and(|rest| rest.starts_with(['`', ' ']))
    };
    let package = workspace.packages().iter().find(is_named);
    let broken = package.map(|package| BrokenPackage {
        id: package.id.clone(),
        errors: format!("its build script failed: {telling}"),
    });
    broken.into_iter().collect()
}

/// The message of a panic, or else the last line of a build script's output.
fn telling_line(words: &str) -> Option<&str> {
    let mut lines = words.lines().map(str::trim);
    if lines.any(|line| line.contains(" panicked at ")) {
        return lines.find(|line| !line.is_empty());
    }
    let (_, stderr) = words.split_once("--- stderr")?;
    let own = stderr.lines().map(str::trim);
    let own = own.take_while(|line| !line.starts_with("warning: build failed"));
    own.filter(|line| !line.is_empty()).last()
}

/// The bench targets of `selected` that need one of the packages that cannot be built.
pub(super) fn in_need(
    selected: &[&Package],
    workspace: &Workspace,
    broken: &[BrokenPackage],
) -> Vec<BrokenTarget> {
    let mut all = Vec::new();
    for package in selected {
        let needed = workspace.needed_by([&package.id]);
        let lacking = broken.iter().find(|one| {
            let needed = needed.as_ref();
            needed.is_some_and(|needed| needed.contains(&one.id))
        });
        let Some(lacking) = lacking else { continue };
        let errors = lacking.errors.trim();
        let errors = match workspace.package(&lacking.id) {
            Some(other) if other.id != package.id => format!(
                "{} {}, which it depends on, cannot be built: {errors}",
                other.name, other.version
            ),
            _ => errors.to_owned(),
        };
        all.extend(benches(package).map(|target| BrokenTarget {
            package: package.name.to_string(),
            target: target.name.clone(),
            errors: errors.clone(),
        }));
    }
    all
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_build_script_is_quoted_by_what_its_panic_says_or_its_last_line() {
        let panicked = "  Compiling a v1.0.0\nerror: failed to run custom build command for `clang-sys v1.9.1`\n\n\
            Caused by:\n  process didn't exit successfully: `x` (exit status: 101)\n  --- stderr\n\n  \
            thread 'main' (28610) panicked at build/dynamic.rs:229:45:\n  no libclang here\n  stack backtrace:\n     \
            0: rust_begin_unwind\nwarning: build failed, waiting for other jobs to finish...\n";
        assert_eq!(telling_line(panicked), Some("no libclang here"));
        let plain = "error: failed to run custom build command for `z v1.0.0 (/tmp/z)`\n  --- stdout\n  looking\n  \
            --- stderr\n  looking for z\n  z.h is missing\nwarning: build failed, waiting for other jobs\n";
        assert_eq!(telling_line(plain), Some("z.h is missing"));
        assert_eq!(telling_line("error: no such profile"), None);
    }
}
