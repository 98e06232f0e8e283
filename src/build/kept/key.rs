//! What has to be the same for a build to be usable again, in addition to what cargo itself checks.
//!
//! Cargo distinguishes compilers, profiles, features, flags, and versions of dependencies, and checks the time
//! stamps of sources. It does not know which variables a build script reads unless the script says so
//! ([`super::variables`]), or which tools of the system it runs. Only a digest of all this is written.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::super::cargo_config::Surroundings;
use super::super::rustc_wrapper;
use super::secret::Secret;
use super::settings::is_setting;
use super::variables::{self, Variables};
use crate::revision::Checkout;

/// The key of the repository that `checkout` is of, in this environment: a digest that depends on `secret`.
///
/// # Errors
/// Where a configuration file outside of the revisions cannot be read.
pub(super) fn of(checkout: &Checkout, secret: &Secret) -> io::Result<String> {
    let text = text(
        &checkout.original_root,
        checkout.folder(),
        &variables::of_process(),
    )?;
    secret.digest(text.as_bytes())
}

fn text(root: &Path, folder: &Path, variables: &Variables) -> io::Result<String> {
    let key = serde_json::json!({
        "program": env!("CARGO_PKG_VERSION"),
        // What they keep of a build, later rounds need.
        "scripts": rustc_wrapper::SCRIPTS,
        "repository": root.to_string_lossy(),
        "variables": variables::settings(variables),
        "configuration": Surroundings::of(root, folder).texts()?,
        "tools": tools(variables),
    });
    Ok(serde_json::to_string(&key)?)
}

/// Tools of the system that build scripts and the linker use. Cargo does not check them, and one
/// side's kept build must not come from other tools than the other side's new one.
const TOOLS: &[&str] = &[
    "ar",
    "as",
    "bindgen",
    "c++",
    "cc",
    "clang",
    "clang++",
    "cmake",
    "flatc",
    "g++",
    "gcc",
    "gfortran",
    "ld",
    "ld.lld",
    "ld.mold",
    "lld",
    "llvm-config",
    "make",
    "mold",
    "nasm",
    "ninja",
    "nvcc",
    "perl",
    "pkg-config",
    "protoc",
    "python3",
    "ranlib",
    "wild",
    "yasm",
];

/// Each of these tools that exists, and those that settings name (`CC`, `RUSTC_WRAPPER`, …): its
/// real path, size and modification time.
fn tools(variables: &Variables) -> BTreeMap<String, String> {
    let folders: Vec<PathBuf> = variables
        .get("PATH")
        .map(|path| std::env::split_paths(path).collect())
        .unwrap_or_default();
    let named = variables
        .iter()
        .filter(|(name, _)| is_setting(name))
        // `ccache gcc` names two.
        .flat_map(|(_, value)| value.split_whitespace().take(2))
        .filter(|value| !value.starts_with('-'));
    let all = TOOLS.iter().copied().chain(named);
    all.filter_map(|name| {
        let places = folders.iter().map(|folder| folder.join(name));
        let stamp = places.filter_map(|place| stamp(&place)).next()?;
        Some((name.to_owned(), stamp))
    })
    .collect()
}

/// Of a file, its links followed.
pub(super) fn stamp(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let meta = real.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let since = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let (real, since) = (real.display(), since.as_nanos());
    Some(format!("{real} {} bytes {since}", meta.len()))
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
    fn the_key_has_the_linker_and_the_settings_and_nothing_of_a_job_or_session() {
        let temp = tempfile::tempdir().unwrap();
        let with = |more: &[(&str, &str)]| {
            let mut variables = variables::of_process();
            let more = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            variables.extend(more);
            text(temp.path(), Path::new(""), &variables).unwrap()
        };
        let plain = with(&[]);
        assert!(plain.contains("\"cc\":"), "{plain}");
        let of_a_job = [
            ("BASE", "abc"),
            ("HEAD", "def"),
            ("HOSTNAME", "6b9f2c"),
            ("BUILD_NUMBER", "17"),
            ("GITHUB_RUN_ID", "4"),
            ("CI_JOB_ID", "5"),
            ("SSH_AUTH_SOCK", "/tmp/x"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        assert_eq!(with(&of_a_job), plain);
        for setting in [
            ("CFLAGS", "-O1"),
            ("ZLIB_STATIC", "1"),
            ("RUSTFLAGS", "-Copt-level=1"),
        ] {
            assert_ne!(with(&[setting]), plain, "{setting:?}");
        }
        // A compiler that a setting names, although it is not on our list.
        let tool = temp.path().join("special-cc");
        std::fs::write(&tool, "old").unwrap();
        let setting = ("CC", tool.to_str().unwrap());
        let old = with(&[setting]);
        std::fs::write(&tool, "newer").unwrap();
        assert_ne!(with(&[setting]), old);
    }
}
