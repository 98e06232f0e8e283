//! Which variables of the environment a build may depend on.
//!
//! A wrong answer leads to a wrong comparison: one side would be yesterday's build with other settings. An answer
//! that is too cautious builds everything anew in every job. So there are three classes.
//!
//! - [`is_setting`]: variables that compilers, linkers, cargo, and the crates through which build scripts run
//!   them are known to read. They are part of the key: other values lead to another folder.
//! - [`is_of_session`]: names of a terminal, a job or a machine. A build that embeds one of these is no reason to
//!   build anew; if it declares the variable (`cargo::rerun-if-env-changed`, `env!`), cargo checks it anyway.
//! - All others: a variable counts if a build script or a procedural macro contains its name;
//!   perfcheck searches the compiled programs for it ([`named_in`]).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use fs_err as fs;

use super::secret::Secret;
use super::settings::{is_of_session, is_setting};
use crate::process;

/// Shorter names appear in many programs by chance.
const SHORTEST: usize = 5;

/// The variables that builds get, by name.
pub(in crate::build) type Variables = BTreeMap<String, String>;

/// The variables that builds get from this process.
pub(in crate::build) fn of_process() -> Variables {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    process::inherited()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// The settings among `variables`.
pub(super) fn settings(variables: &Variables) -> Variables {
    let settings = variables.iter().filter(|(name, _)| is_setting(name));
    settings.map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// The variables that count only if a build script or macro names them.
fn open(variables: &Variables) -> BTreeSet<&str> {
    let open = variables.keys().map(String::as_str);
    open.filter(|name| name.len() >= SHORTEST && !is_setting(name) && !is_of_session(name))
        .collect()
}

/// What build scripts and macros of one target folder were seen to read, by digests of the values.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Reads {
    /// The names that were looked for.
    sought: BTreeSet<String>,
    /// The names that were found, with digests of their values.
    found: BTreeMap<String, String>,
}

impl Reads {
    /// Which of `variables` the build in `target_dir` names.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn of(
        target_dir: &Path,
        variables: &Variables,
        secret: &Secret,
    ) -> io::Result<Reads> {
        let sought = open(variables);
        let mut found = BTreeMap::new();
        for name in named_in(target_dir, &sought)? {
            let value = variables.get(&name).map_or("", String::as_str);
            found.insert(name, secret.digest(value.as_bytes())?);
        }
        Ok(Reads {
            sought: sought.into_iter().map(str::to_owned).collect(),
            found,
        })
    }

    /// Whether a build in this environment would read the same.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn hold(
        &self,
        target_dir: &Path,
        variables: &Variables,
        secret: &Secret,
    ) -> io::Result<bool> {
        for (name, digest) in &self.found {
            let value = variables.get(name);
            let now = value
                .map(|value| secret.digest(value.as_bytes()))
                .transpose()?;
            if now.as_ref() != Some(digest) {
                return Ok(false);
            }
        }
        let new = open(variables);
        let new: BTreeSet<&str> = new
            .into_iter()
            .filter(|n| !self.sought.contains(*n))
            .collect();
        Ok(named_in(target_dir, &new)?.is_empty())
    }
}

/// Those of `names` that occur in a build script or a procedural macro in `target_dir`. Rust passes the name of a
/// variable as a whole, so it appears unchanged in the program.
fn named_in(target_dir: &Path, names: &BTreeSet<&str>) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    if names.is_empty() {
        return Ok(found);
    }
    let listed: Vec<&str> = names.iter().copied().collect();
    let search = AhoCorasick::new(&listed).map_err(io::Error::other)?;
    for program in programs(target_dir)? {
        // One name may begin inside another.
        let bytes = fs::read(program)?;
        found.extend(
            search
                .find_overlapping_iter(&bytes)
                .filter_map(|hit| listed.get(hit.pattern().as_usize()))
                .map(|name| (*name).to_owned()),
        );
    }
    Ok(found)
}

/// What cargo runs while it builds: the build scripts and the macros' libraries below `target_dir`, in whichever
/// layout, each once.
fn programs(target_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut folders = vec![target_dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, entry.path());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && runs_while_building(&path) {
                let meta = entry.metadata()?;
                // Cargo gives a build script two names.
                if seen.insert((meta.dev(), meta.ino())) {
                    found.push(path);
                }
            }
        }
    }
    Ok(found)
}

fn runs_while_building(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    match file.extension() {
        Some(ending) => ending == "so" || ending == "dylib",
        None => name.starts_with("build-script-") || name.starts_with("build_script_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_one_run_to_the_next_is_no_setting_and_never_looked_for() {
        for name in [
            "HOSTNAME",
            "BUILD_NUMBER",
            "BUILD_ID",
            "BUILD_TAG",
            "JOB_NAME",
            "GITHUB_RUN_ID",
            "GITHUB_SHA",
            "RUNNER_TEMP",
            "CI_JOB_ID",
            "CI_PROJECT_DIR",
            "CI_BUILDS_DIR",
            "TERM_SESSION_ID",
            "WINDOWID",
            "SSH_AUTH_SOCK",
            "XDG_RUNTIME_DIR",
            "XDG_SESSION_ID",
            "TMUX_PANE",
            "VSCODE_IPC_HOOK_CLI",
            "GIT_REFLOG_ACTION",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_OURS_TOKEN",
            "CARGO_TERM_COLOR",
            "RUST_BACKTRACE",
            "RUST_LOG",
            "INVOCATION_ID",
            "BASE",
            "HEAD",
            "PATH",
            "PWD",
            "_",
            "SHLVL",
            "RUSTUP_TOOLCHAIN_SOURCE",
            "LS_COLORS",
            "OLDPWD",
            "PERFCHECK_SEED",
        ] {
            assert!(!is_setting(name), "{name}");
            let variables = Variables::from([(name.to_owned(), "x".to_owned())]);
            assert_eq!(open(&variables), BTreeSet::new(), "{name}");
        }
    }

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs.iter();
        pairs
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn another_variable_counts_where_a_build_script_or_macro_names_it() {
        let temp = tempfile::tempdir().unwrap();
        let secret = Secret::of(temp.path()).unwrap();
        let target = temp.path().join("target");
        let put = |name: &str, bytes: &[u8]| {
            let path = target.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        put(
            "release/build/a-0123/build-script-build",
            b"\0xDATABASE_URLsrc/lib.rs\0",
        );
        put("x86_64/release/deps/libmacros.so", b"\xffAPP_MODE\xff");
        put("release/deps/work-0123", b"NOT_READ_WHILE_BUILDING");
        let then = variables(&[
            ("DATABASE_URL", "hunter2"),
            ("APP_MODE", "1"),
            ("NOT_READ_WHILE_BUILDING", "1"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ]);
        let reads = Reads::of(&target, &then, &secret).unwrap();
        let names: Vec<_> = reads.found.keys().map(String::as_str).collect();
        assert_eq!(names, ["APP_MODE", "DATABASE_URL"]);
        let written = serde_json::to_string(&reads).unwrap();
        assert!(!written.contains("hunter2"), "{written}");

        let hold = |pairs: &[(&str, &str)]| {
            let mut now = then.clone();
            now.extend(variables(pairs));
            reads.hold(&target, &now, &secret).unwrap()
        };
        assert!(hold(&[]));
        assert!(hold(&[
            ("NOT_READ_WHILE_BUILDING", "2"),
            ("AWS_SECRET_ACCESS_KEY", "x")
        ]));
        assert!(!hold(&[("APP_MODE", "2")]));
        let mut without = then.clone();
        without.remove("DATABASE_URL");
        assert!(!reads.hold(&target, &without, &secret).unwrap());
        // A variable that the build reads, and that was not set at the time.
        assert!(hold(&[("ANOTHER", "1")]));
        put(
            "release/build/a-0123/build-script-build",
            b"DATABASE_URLANOTHER",
        );
        assert!(!hold(&[("ANOTHER", "1")]));
    }
}
