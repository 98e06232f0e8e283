//! The environment that `cargo bench` would run a benchmark in.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{BuildScript, Package, TargetKind};
use toml::Value;

use super::cargo_config;
use super::compile::Compiled;

/// Where the dynamic linker looks for libraries.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// What cargo adds to the environment of `executable`, a benchmark of `package`, sorted by name.
/// `compiled` is what cargo made with it; `library_dir` is the toolchain's folder of libraries;
/// `toolchain` its name, where the revision does not choose it.
pub(super) fn environment(
    package: &Package,
    executable: &Path,
    compiled: &Compiled,
    library_dir: &Path,
    toolchain: Option<&str>,
) -> Vec<(String, OsString)> {
    let scripts = &compiled.scripts;
    let folder = package.manifest_path.parent();
    let mut variables = configured(folder.map_or(Path::new("/"), |folder| folder.as_std_path()));
    let own_script = scripts.iter().find(|s| s.package_id == package.id);
    if let Some(script) = own_script {
        let said = script
            .env
            .iter()
            .map(|(name, value)| (name.clone(), value.into()));
        variables.extend(said);
        variables.insert("OUT_DIR".to_owned(), script.out_dir.as_os_str().to_owned());
    }
    for (name, value) in package_facts(package) {
        variables.insert(name.to_owned(), value.into());
    }
    variables.extend(programs(package, compiled));
    if let Some(path) = library_path(executable, scripts, library_dir) {
        variables.insert(LIBRARY_PATH.to_owned(), path);
    }
    // rustup sets this, too; benchmarks that start cargo need it.
    variables.extend(toolchain.map(|name| ("RUSTUP_TOOLCHAIN".to_owned(), name.into())));
    variables.into_iter().collect()
}

/// Where the package's own programs lie. Cargo sets these while benchmarks run since 1.94, and has long set them
/// while they are compiled; a benchmark must not start a program of another build instead.
fn programs(package: &Package, compiled: &Compiled) -> impl Iterator<Item = (String, OsString)> {
    let own = compiled.artifacts.iter().filter(|artifact| {
        artifact.package_id == package.id && artifact.target.is_kind(TargetKind::Bin)
    });
    own.filter_map(|artifact| {
        let program = artifact.executable.as_ref()?;
        let name = format!("CARGO_BIN_EXE_{}", artifact.target.name);
        Some((name, program.as_os_str().to_owned()))
    })
}

fn package_facts(package: &Package) -> [(&'static str, String); 17] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let path = |value: &Option<cargo_metadata::camino::Utf8PathBuf>| {
        value.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let version = &package.version;
    let folder = package.manifest_path.parent();
    [
        (
            "CARGO_MANIFEST_DIR",
            folder.map(ToString::to_string).unwrap_or_default(),
        ),
        ("CARGO_MANIFEST_PATH", package.manifest_path.to_string()),
        ("CARGO_PKG_NAME", package.name.to_string()),
        ("CARGO_PKG_VERSION", version.to_string()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
        ("CARGO_PKG_AUTHORS", package.authors.join(":")),
        ("CARGO_PKG_DESCRIPTION", text(&package.description)),
        ("CARGO_PKG_HOMEPAGE", text(&package.homepage)),
        ("CARGO_PKG_REPOSITORY", text(&package.repository)),
        ("CARGO_PKG_LICENSE", text(&package.license)),
        ("CARGO_PKG_LICENSE_FILE", path(&package.license_file)),
        ("CARGO_PKG_README", path(&package.readme)),
        (
            "CARGO_PKG_RUST_VERSION",
            package
                .rust_version
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        // Some benchmarks find cargo through it. It is a bare name, so that each side gets its own toolchain's
        // cargo.
        ("CARGO", "cargo".to_owned()),
    ]
}

/// The folders that build scripts name, if they are inside the profile's folder (cargo adds no
/// others); then those of the artefacts and of the toolchain; then the variable's previous value.
fn library_path(
    executable: &Path,
    scripts: &[BuildScript],
    library_dir: &Path,
) -> Option<OsString> {
    let deps = executable.parent()?;
    let profile = deps.parent()?;
    let native: BTreeSet<PathBuf> = scripts
        .iter()
        .flat_map(|script| &script.linked_paths)
        .map(|path| match path.as_str().split_once('=') {
            Some(("native" | "all" | "dependency" | "crate" | "framework", path)) => path.into(),
            _ => path.clone().into_std_path_buf(),
        })
        .filter(|path: &PathBuf| path.starts_with(profile))
        .collect();
    let before = env::var_os(LIBRARY_PATH).filter(|path| !path.is_empty());
    let folders = native
        .into_iter()
        .chain([deps.to_owned(), profile.to_owned(), library_dir.to_owned()])
        .chain(before.iter().flat_map(env::split_paths));
    env::join_paths(folders).ok()
}

/// The `[env]` tables of cargo's configuration files that apply in `folder`.
fn configured(folder: &Path) -> BTreeMap<String, OsString> {
    let mut variables = BTreeMap::new();
    for file in cargo_config::files(folder) {
        let entries = file.get(&["env"]).and_then(Value::as_table);
        for (name, entry) in entries.into_iter().flatten() {
            if let Some(value) = configured_value(name, entry, &file.anchor) {
                variables.entry(name.clone()).or_insert(value);
            }
        }
    }
    variables
}

/// The value of one entry, unless the user's environment sets the variable and the entry does not override it.
fn configured_value(name: &str, entry: &Value, anchor: &Path) -> Option<OsString> {
    let flag = |key| entry.get(key).and_then(Value::as_bool) == Some(true);
    if env::var_os(name).is_some() && !flag("force") {
        return None;
    }
    let value = entry.as_str().or_else(|| entry.get("value")?.as_str())?;
    Some(if flag("relative") {
        anchor.join(value).into_os_string()
    } else {
        value.into()
    })
}
