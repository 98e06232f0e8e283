//! Which toolchain the user has chosen instead of the one in a revision's own file.
//!
//! Rustup asks in this order: `+toolchain` on the command line, `RUSTUP_TOOLCHAIN`, then, from the folder upwards,
//! directory overrides (`rustup override set`) and toolchain files, the nearest first. The checkouts lie elsewhere,
//! so this module asks for choices outside of them and hands the toolchain to both sides by name.
//!
//! Cargo's proxy sets `RUSTUP_TOOLCHAIN` for whatever it starts, whatever decided, an uncommitted
//! `rust-toolchain.toml` included. So the variable alone does not prove that the user chose it. A rustup that sets
//! `RUSTUP_TOOLCHAIN_SOURCE` says who decided; otherwise perfcheck asks rustup what it would take without the
//! variable.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::process;
use crate::scratch::Scratch;

use super::cargo_config::is_ignored;

/// A toolchain that was chosen outside of the revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenToolchain {
    /// Its name, as rustup takes it.
    pub name: String,
    /// Who chose it.
    pub origin: Chooser,
}

/// Who chose a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chooser {
    /// `cargo +toolchain perfcheck`.
    CommandLine,
    /// The variable `RUSTUP_TOOLCHAIN`, which `rustup run` sets as well.
    Variable,
    /// `rustup override set`, for this folder.
    Override(PathBuf),
    /// A toolchain file that is in no revision: above the repository, or ignored by git.
    File(PathBuf),
    /// Nobody: it is rustup's default.
    Default,
}

impl fmt::Display for ChosenToolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.name)?;
        match &self.origin {
            Chooser::CommandLine => write!(f, "chosen on the command line (`cargo +…`)"),
            Chooser::Variable => {
                write!(f, "chosen by the variable RUSTUP_TOOLCHAIN or `rustup run`")
            }
            Chooser::Override(folder) => {
                write!(f, "chosen by `rustup override` for {}", folder.display())
            }
            Chooser::File(file) => write!(f, "chosen by {}", file.display()),
            Chooser::Default => write!(f, "rustup's default"),
        }
    }
}

/// What decides about toolchains outside of the revisions.
#[derive(Debug, Clone, Default)]
pub(super) struct Rustup {
    /// What outranks every file.
    word: Option<ChosenToolchain>,
    /// Directory overrides inside the repository, by folders relative to its root.
    overrides: Vec<(PathBuf, ChosenToolchain)>,
    /// The toolchain for a side without a toolchain file.
    otherwise: Option<ChosenToolchain>,
}

impl Rustup {
    /// Asks for the repository at `root`, whose manifest lies in `folder` (relative to it). Without rustup
    /// nothing is chosen.
    pub(super) fn ask(root: &Path, folder: &Path, scratch: &Scratch) -> Rustup {
        let asked = RustupQuestion { scratch };
        let Some(listed) = asked.stdout(&["override", "list"], root) else {
            return Rustup::default();
        };
        let overrides = listed.lines().filter_map(|line| {
            let (path, name) = line.split_once('\t')?;
            let path = PathBuf::from(path.trim_end());
            let choice = ChosenToolchain {
                name: name.trim().to_owned(),
                origin: Chooser::Override(path.clone()),
            };
            Some((path.strip_prefix(root).ok()?.to_owned(), choice))
        });
        // A file that git ignores is the user's own, like one above the repository.
        let ignored = folder
            .ancestors()
            .map(|inside| root.join(inside))
            .find(|inside| toolchain_file(inside).is_some_and(|file| is_ignored(root, &file)));
        let outside = ignored.as_deref().or(root.parent());
        Rustup {
            word: asked.word(),
            overrides: overrides.collect(),
            otherwise: outside.and_then(|outside| asked.active(outside)),
        }
    }

    /// The toolchain for a checkout at `root`, where tools run in `folder` (relative to it); `None` if the revision
    /// decides.
    pub(super) fn choice(&self, root: &Path, folder: &Path) -> Option<&ChosenToolchain> {
        if self.word.is_some() {
            return self.word.as_ref();
        }
        for inside in folder.ancestors() {
            // Within one folder, the override outranks the file.
            if let Some((_, choice)) = self.overrides.iter().find(|(of, _)| of == inside) {
                return Some(choice);
            }
            if toolchain_file(&root.join(inside)).is_some() {
                return None;
            }
        }
        self.otherwise.as_ref()
    }
}

fn toolchain_file(folder: &Path) -> Option<PathBuf> {
    let names = ["rust-toolchain", "rust-toolchain.toml"];
    names
        .map(|name| folder.join(name))
        .into_iter()
        .find(|file| file.is_file())
}

struct RustupQuestion<'a> {
    scratch: &'a Scratch,
}

impl RustupQuestion<'_> {
    /// The toolchain that the user chose for this command.
    fn word(&self) -> Option<ChosenToolchain> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let name = variable("RUSTUP_TOOLCHAIN")?;
        // A proxy that was itself started by one finds the variable set, and says "env".
        let nested = variable("RUST_RECURSION_COUNT")
            .and_then(|count| count.parse::<u32>().ok())
            .is_some_and(|count| count > 1);
        let source = variable("RUSTUP_TOOLCHAIN_SOURCE");
        let origin = match source.as_deref() {
            Some("cli") => Chooser::CommandLine,
            Some("env") if !nested => Chooser::Variable,
            _ => {
                let here = std::env::current_dir().ok()?;
                if self
                    .active(&here)
                    .is_some_and(|active| alike(&active.name, &name))
                {
                    return None;
                }
                Chooser::Variable
            }
        };
        Some(ChosenToolchain { name, origin })
    }

    /// What rustup takes in `folder` by default.
    fn active(&self, folder: &Path) -> Option<ChosenToolchain> {
        let said = self.stdout(&["show", "active-toolchain"], folder)?;
        let (name, reason) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
        let path = reason.split('\'').nth(1).map(PathBuf::from);
        let origin = match path {
            Some(path) if reason.contains("directory override") => Chooser::Override(path),
            Some(path) => Chooser::File(path),
            None => Chooser::Default,
        };
        (!name.is_empty()).then(|| ChosenToolchain {
            name: name.to_owned(),
            origin,
        })
    }

    fn stdout(&self, words: &[&str], folder: &Path) -> Option<String> {
        let mut command = process::command("rustup");
        command
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let output = self
            .scratch
            .spawn(&mut command)
            .ok()?
            .wait_with_output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    }
}

/// Whether two names mean one toolchain: `nightly` is short for `nightly-x86_64-unknown-linux-gnu`.
fn alike(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    // The rest must be the host, not the date of another nightly.
    long.strip_prefix(short).is_some_and(|rest| {
        let host = rest.strip_prefix('-');
        rest.is_empty() || host.is_some_and(|host| !host.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str, origin: Chooser) -> ChosenToolchain {
        ChosenToolchain {
            name: name.to_owned(),
            origin,
        }
    }

    #[test]
    fn the_nearest_of_override_and_file_decides_and_the_users_word_before_both() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        let inside = choice("of-a", Chooser::Override("/user/a".into()));
        let outside = choice("outside", Chooser::Default);
        let mut rustup = Rustup {
            word: None,
            overrides: vec![("a".into(), inside.clone())],
            otherwise: Some(outside.clone()),
        };
        let choose = |rustup: &Rustup, folder: &str| {
            rustup
                .choice(root, Path::new(folder))
                .map(|choice| choice.name.clone())
        };
        assert_eq!(choose(&rustup, "").as_deref(), Some("outside"));
        assert_eq!(choose(&rustup, "a/b").as_deref(), Some("of-a"));
        std::fs::write(root.join("rust-toolchain.toml"), "").unwrap();
        assert_eq!(choose(&rustup, ""), None);
        assert_eq!(choose(&rustup, "a/b").as_deref(), Some("of-a"));
        std::fs::write(root.join("a/rust-toolchain"), "").unwrap();
        assert_eq!(choose(&rustup, "a/b").as_deref(), Some("of-a"));
        std::fs::write(root.join("a/b/rust-toolchain"), "").unwrap();
        assert_eq!(choose(&rustup, "a/b"), None);
        rustup.word = Some(choice("typed", Chooser::CommandLine));
        assert_eq!(choose(&rustup, "a/b").as_deref(), Some("typed"));
    }

    #[test]
    fn a_short_name_is_the_same_toolchain_as_the_whole_one() {
        assert!(alike("nightly", "nightly-x86_64-unknown-linux-gnu"));
        assert!(alike("1.95.0-x86_64-unknown-linux-gnu", "1.95.0"));
        assert!(!alike("1.9", "1.95.0-x86_64-unknown-linux-gnu"));
        assert!(!alike("stable", "nightly"));
        assert!(!alike(
            "nightly",
            "nightly-2026-05-15-x86_64-unknown-linux-gnu"
        ));
    }
}
