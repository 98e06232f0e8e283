//! The environment of children.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// What git sets for hooks and aliases (`git rev-parse --local-env-vars`): it would point a child's
/// git, and every build script that asks git, at the user's repository. A real repository was
/// corrupted this way. `GIT_CONFIG_COUNT` and its values are left: people set them for credentials.
const GIT: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// What cargo, rustup and make set for their own children. `RUSTUP_TOOLCHAIN` and `RUSTC` would
/// outrank the revision's `rust-toolchain.toml` (where the user chose the former, builds set it
/// again); both sides would share a target folder of the user's; a jobserver's file descriptors no
/// longer exist.
const TOOLS: &[&str] = &[
    "CARGO",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_CRATE_NAME",
    "CARGO_CRITERION_PORT",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_RUSTC_CURRENT_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
    "CRITERION_HOME",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "OUT_DIR",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_TOOLCHAIN_SOURCE",
    "RUST_RECURSION_COUNT",
];

/// Families of the same kind.
const PREFIXES: &[&str] = &[
    "CARGO_BIN_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "__CARGO_",
];

/// A command for `program`, in an environment without what git, cargo, rustup and make leak into it
/// from outside.
///
/// The user's own settings stay (`RUSTFLAGS`, `RUSTC_WRAPPER`, `CARGO_HOME`, `CARGO_NET_*`,
/// `CARGO_REGISTRIES_*`, `CARGO_PROFILE_*`, …).
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    clean_env(&mut command);
    command
}

/// Like [`command`], for an existing command. Call it before setting variables on the command: it
/// removes them no matter who set them.
pub fn clean_env(command: &mut Command) -> &mut Command {
    remove(command, leaks)
}

/// Removes from the environment of a benchmark all variables of the cargo or git process that
/// perfcheck runs under, settings included: they refer to the user's checkout.
pub(crate) fn without_session(command: &mut Command) -> &mut Command {
    remove(command, is_of_session)
}

/// The variables that a [`command`] gets from this process.
pub(crate) fn inherited() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !leaks(name))
}

fn remove(command: &mut Command, is_meant: impl Fn(&OsStr) -> bool) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_meant(name)) {
        command.env_remove(name);
    }
    command
}

/// `CARGO_HOME` is a setting of the user.
fn is_of_session(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    (name.starts_with(b"CARGO") && name != b"CARGO_HOME")
        || name.starts_with(b"GIT_")
        || name.starts_with(b"CRITERION_")
        || name == b"RUSTUP_TOOLCHAIN"
        || name == b"RUST_RECURSION_COUNT"
}

fn leaks(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    GIT.contains(&name)
        || TOOLS.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hooks_and_cargo_set_leaks_and_what_users_set_does_not() {
        for name in [
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "RUSTUP_TOOLCHAIN",
            "RUSTUP_TOOLCHAIN_SOURCE",
            "CARGO",
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "CARGO_BIN_EXE_cargo-perfcheck",
            "CARGO_TARGET_DIR",
            "CARGO_MAKEFLAGS",
            "__CARGO_TEST_CHANNEL",
        ] {
            assert!(leaks(OsStr::new(name)), "{name} should be taken out");
        }
        for name in [
            "PATH",
            "HOME",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "LD_PRELOAD",
            "CARGO_REGISTRIES_OURS_TOKEN",
            "CARGO_PROFILE_BENCH_LTO",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "GIT_SSH_COMMAND",
            "GIT_AUTHOR_NAME",
        ] {
            assert!(!leaks(OsStr::new(name)), "{name} should stay");
        }
    }
}
