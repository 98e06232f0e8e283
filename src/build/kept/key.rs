//! What has to be the same for a build to be of use again, beyond what cargo itself looks at.
//!
//! Cargo tells apart compilers, profiles, features, flags, and versions of dependencies, and looks at the
//! time stamps of sources. It does not know which variables a build script reads unless that says so, nor
//! which tools of the system it runs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use crate::scratch;

/// Variables that differ from one terminal, one continuous-integration job or one git hook to the next
/// and that no build should depend on; a build script that does can say so
/// (`cargo::rerun-if-env-changed`), and cargo listens.
const NOISE: &[&str] = &[
    "_",
    "COLORTERM",
    "COLUMNS",
    "DISPLAY",
    "EDITOR",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "LS_COLORS",
    "NO_COLOR",
    "OLDPWD",
    "PAGER",
    "PWD",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SHLVL",
    "STY",
    "TERM",
    "TMPDIR",
    "VISUAL",
    "WAYLAND_DISPLAY",
    "WINDOWID",
];

/// Families of the same kind.
const NOISY_PREFIXES: &[&str] = &[
    "CARGO_TERM_",
    "CI_",
    "CLICOLOR",
    "DBUS_",
    "GITHUB_",
    "GIT_",
    "GPG_",
    "HIST",
    "KITTY_",
    "LESS",
    "PERFCHECK_",
    "RUNNER_",
    "SSH_",
    "TERM_",
    "TMUX",
    "VSCODE_",
    "VTE_",
    "XDG_",
];

/// The key, as JSON that a person can read, of the repository at `root` in this environment.
///
/// # Errors
/// Where a configuration file above the repository cannot be read.
pub(super) fn of(root: &Path) -> io::Result<String> {
    let key = serde_json::json!({
        "program": env!("CARGO_PKG_VERSION"),
        "repository": root.to_string_lossy(),
        "variables": variables(),
        "configuration": super::super::ambient::texts(root)?,
        "tools": tools(),
    });
    Ok(serde_json::to_string_pretty(&key)?)
}

/// What build scripts and the linker use of the system. Cargo does not look at it, and what one side
/// keeps must not have been made with other tools than what the other side makes now.
const TOOLS: &[&str] = &[
    "ar",
    "as",
    "c++",
    "cc",
    "clang",
    "clang++",
    "cmake",
    "g++",
    "gcc",
    "ld",
    "ld.lld",
    "lld",
    "mold",
    "nasm",
    "pkg-config",
    "protoc",
];

/// Rewritten whenever a shared library is installed or replaced.
const LIBRARIES: &str = "/etc/ld.so.cache";

/// Each tool that is there, and those that variables name (`CC`, `RUSTC_WRAPPER`, …): where it really
/// lies, how large it is, and from when.
fn tools() -> BTreeMap<String, String> {
    let folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    let named = std::env::vars().filter_map(|(name, value)| {
        let names_a_tool = ["CC", "CXX", "AR", "LD", "RUSTC", "WRAPPER", "LINKER"]
            .iter()
            .any(|end| name.ends_with(end));
        names_a_tool.then_some(value)
    });
    let all = TOOLS.iter().map(|&name| name.to_owned()).chain(named);
    let mut stamps: BTreeMap<String, String> = all
        .filter_map(|name| {
            let places = folders.iter().map(|folder| folder.join(&name));
            let stamp = places.filter_map(|place| stamp(&place)).next()?;
            Some((name, stamp))
        })
        .collect();
    if let Some(stamp) = stamp(Path::new(LIBRARIES)) {
        stamps.insert(LIBRARIES.to_owned(), stamp);
    }
    stamps
}

/// Of a file, its links followed.
fn stamp(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let meta = real.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let since = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let (real, since) = (real.display(), since.as_nanos());
    Some(format!("{real} {} bytes {since}", meta.len()))
}

/// The variables that children get, noise aside.
fn variables() -> BTreeMap<String, String> {
    let mut child = Command::new("cargo");
    scratch::clean_env(&mut child);
    let removed: Vec<_> = child.get_envs().map(|(name, _)| name.to_owned()).collect();
    let of_children = std::env::vars_os().filter(|(name, _)| !removed.contains(name));
    of_children
        .map(|(name, value)| {
            let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
            (text(name), text(value))
        })
        .filter(|(name, _)| !is_noise(name))
        .collect()
}

fn is_noise(name: &str) -> bool {
    NOISE.contains(&name) || NOISY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_tool_of_the_same_name_is_another_stamp() {
        let temp = tempfile::tempdir().unwrap();
        let tool = temp.path().join("cc");
        assert_eq!(stamp(&tool), None);
        std::fs::write(&tool, "old").unwrap();
        let old = stamp(&tool).unwrap();
        assert_eq!(stamp(&tool), Some(old.clone()));
        std::fs::write(&tool, "newer").unwrap();
        assert_ne!(stamp(&tool), Some(old));
        assert_eq!(stamp(temp.path()), None);
    }

    #[test]
    fn the_linker_of_this_machine_is_part_of_the_key() {
        let temp = tempfile::tempdir().unwrap();
        let key: serde_json::Value = serde_json::from_str(&of(temp.path()).unwrap()).unwrap();
        let tools = key["tools"].as_object().unwrap();
        assert!(tools.contains_key("cc"), "{key}");
    }
}
