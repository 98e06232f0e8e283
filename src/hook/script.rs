//! The text of the hook.

use std::path::{Path, PathBuf};

use crate::units::quoted;

/// The line that marks our own hook.
const MARK: &str = "# Installed by `cargo perfcheck hook install`.";

/// The prefix of lines that name the workspaces to check.
const CHECKS: &str = "# Checks: ";

/// The manifests of the workspaces that a hook of ours checks.
pub(super) fn manifests(text: &[u8]) -> Vec<PathBuf> {
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| line.strip_prefix(CHECKS))
        .map(PathBuf::from)
        .collect()
}

pub(super) fn is_ours(text: &[u8]) -> bool {
    String::from_utf8_lossy(text)
        .lines()
        .any(|line| line == MARK)
}

/// The hook. It reads git's input once, and passes it to the previous hook and to us.
///
/// If the program is missing, the push goes through: a check that cannot run must not hold up work.
pub(super) fn text(
    program: &Path,
    manifests: &[PathBuf],
    arguments: &[String],
    chained: &str,
) -> String {
    let program = quoted(&program.to_string_lossy());
    let checks: String = manifests
        .iter()
        .map(|manifest| format!("{CHECKS}{}\n", manifest.display()))
        .collect();
    let options = manifests.iter().flat_map(|manifest| {
        let manifest = manifest.to_string_lossy().into_owned();
        ["--manifest-path".to_owned(), manifest]
    });
    let options: Vec<String> = options.collect();
    let arguments: String = options
        .iter()
        .chain(arguments)
        .map(|word| format!(" {}", quoted(word)))
        .collect();
    format!(
        r#"#!/bin/sh
{MARK}
{checks}# Past it: `git push --no-verify`, or `PERFCHECK_SKIP=1 git push`.
# Remove it: `cargo perfcheck hook uninstall`.

refs=$(cat)
if [ -n "$refs" ]; then
    refs="$refs
"
fi

before="$(dirname "$0")/{chained}"
if [ -x "$before" ]; then
    printf '%s' "$refs" | "$before" "$@" || exit $?
fi

program={program}
if [ ! -x "$program" ]; then
    program=$(command -v cargo-perfcheck) || {{
        echo "perfcheck: cargo-perfcheck is not installed; performance was not checked" >&2
        exit 0
    }}
fi
remote=$1
url=$2
printf '%s' "$refs" | "$program" hook run "$remote" "$url"{arguments}
"#
    )
}
