//! What has to be the same for a build to be of use again, beyond what cargo itself looks at.
//!
//! Cargo tells apart compilers, profiles, features, flags, and versions of dependencies, and looks at the
//! time stamps of sources. It does not know which variables a build script reads unless that says so.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;

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
    });
    Ok(serde_json::to_string_pretty(&key)?)
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
