//! `cargo perfcheck init`.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::plan::config::FILE_NAME;
use crate::plan::{CiSystem, Environment, ExitStatus, InitArgs};

const GITHUB: &str = include_str!("../../ci/github/perfcheck.yml");
const GITHUB_COMMENT: &str = include_str!("../../ci/github/perfcheck-comment.yml");
const GITHUB_HISTORY: &str = include_str!("../../ci/github/perfcheck-history.yml");
const GITLAB: &str = include_str!("../../ci/gitlab/perfcheck.yml");
const GITLAB_HISTORY: &str = include_str!("../../ci/gitlab/perfcheck-history.yml");
const SHELL: &str = include_str!("../../ci/shell/perfcheck.sh");
const SHELL_HISTORY: &str = include_str!("../../ci/shell/perfcheck-history.sh");

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum InitError {
    /// Cargo cannot read the workspace.
    #[error("the workspace cannot be read: {said}")]
    Workspace {
        /// What cargo said.
        said: String,
    },
    /// It would replace somebody's work.
    #[error("`{}` already exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl InitError {
    /// What to type to fix it.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            InitError::Workspace { .. } => {
                Some("run it in a Rust workspace, or name one with `--manifest-path`".to_owned())
            }
            InitError::Exists { .. } => Some("`--force` replaces it".to_owned()),
        }
    }
}

/// What cargo said, as a fragment.
fn said(error: &cargo_metadata::Error) -> String {
    let whole = error.to_string();
    let said = match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr,
        _ => &whole,
    };
    said.trim().trim_start_matches("error: ").to_owned()
}

/// A file to write.
struct NewFile {
    path: PathBuf,
    text: String,
}

/// Writes the files, all or none.
///
/// # Errors
/// One exists, the workspace cannot be read, or a file cannot be written.
pub(super) fn init(
    args: &InitArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let mut command = cargo_metadata::MetadataCommand::new();
    command.current_dir(&environment.cwd).no_deps();
    if let Some(manifest) = &args.manifest_path {
        command.manifest_path(manifest);
    }
    let workspace = command.exec().map_err(|source| InitError::Workspace {
        said: said(&source),
    })?;
    let root = PathBuf::from(&workspace.workspace_root);
    let files = match args.ci {
        Some(system) => recipe(system, &repository_root(&root)),
        None => vec![NewFile {
            path: root.join(FILE_NAME),
            text: configuration(&workspace),
        }],
    };
    if !args.force
        && let Some(file) = files
            .iter()
            .find(|file| file.path.symlink_metadata().is_ok())
    {
        return Err(InitError::Exists {
            path: file.path.clone(),
        }
        .into());
    }
    for file in files {
        if let Some(folder) = file.path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(&file.path, file.text)?;
        writeln!(out, "wrote {}", file.path.display())?;
    }
    if args.ci == Some(CiSystem::Gitlab) {
        writeln!(
            out,
            "add to .gitlab-ci.yml: `include: [{{ local: .gitlab/perfcheck.yml }}, {{ local: .gitlab/perfcheck-history.yml }}]`"
        )?;
    }
    Ok(ExitStatus::Success)
}

/// Systems of continuous integration look for their files at the top of the repository.
fn repository_root(workspace: &Path) -> PathBuf {
    git2::Repository::discover(workspace)
        .ok()
        .and_then(|repository| repository.workdir().map(Path::to_owned))
        .unwrap_or_else(|| workspace.to_owned())
}

fn recipe(system: CiSystem, root: &Path) -> Vec<NewFile> {
    let files: &[(&str, &str)] = match system {
        CiSystem::Github => &[
            (".github/workflows/perfcheck.yml", GITHUB),
            (".github/workflows/perfcheck-comment.yml", GITHUB_COMMENT),
            (".github/workflows/perfcheck-history.yml", GITHUB_HISTORY),
        ],
        CiSystem::Gitlab => &[
            (".gitlab/perfcheck.yml", GITLAB),
            (".gitlab/perfcheck-history.yml", GITLAB_HISTORY),
        ],
        CiSystem::Shell => &[
            ("ci/perfcheck.sh", SHELL),
            ("ci/perfcheck-history.sh", SHELL_HISTORY),
        ],
    };
    let file = |&(path, text): &(&str, &str)| NewFile {
        path: root.join(path),
        text: text.to_owned(),
    };
    files.iter().map(file).collect()
}

/// A configuration in which everything is commented out: it shows what can be set but sets nothing,
/// so that it does not freeze defaults that may improve later.
fn configuration(workspace: &cargo_metadata::Metadata) -> String {
    let mut text = HEAD.to_owned();
    let mut found = false;
    for package in &workspace.packages {
        for target in package.targets.iter().filter(|target| target.is_bench()) {
            found = true;
            let features = match target.required_features.as_slice() {
                [] => String::new(),
                features => format!("   # needs --features {}", features.join(",")),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "#   {} / {}{features}", package.name, target.name);
        }
    }
    if !found {
        text.push_str(
            "#   none yet; https://bheisler.github.io/criterion.rs/book says how to begin\n",
        );
    }
    text.push_str(RULES);
    text
}

const HEAD: &str = "\
# Configuration of `cargo perfcheck`. The keys are its long options; `cargo perfcheck --help` explains
# them and `cargo perfcheck config` shows what holds here. Command line and PERFCHECK_* variables win.

# The smallest difference that counts.
#threshold = \"1%\"

# Timed work per side after which a benchmark counts as inconclusive.
#time-per-benchmark = \"2s\"

# At most this many rounds per benchmark, each a fresh pair of processes.
#rounds = 30

# Build like this.
#workspace = true
#features = [\"large-tests\"]
#locked = true

# Fail also where something stayed inconclusive, failed or was removed.
#deny = [\"modify\"]

# Bench targets found here (package / target):
";

const RULES: &str = "
# Rules for single benchmarks. `match` is a glob of the benchmark's id, in which `*` also matches `/`;
# `package` and `target` are globs, too. For each key the last rule that matches counts.
#[[benchmark]]
#match = \"parse/*\"
#threshold = \"3%\"
#time-per-benchmark = \"10s\"

#[[benchmark]]
#match = \"*/network/*\"
#skip = true

#[[benchmark]]
#match = \"startup\"
#required = true

# Budgets: what benchmarks and programs may use, whatever they used before. Above a limit the vote is
# `reject`; above the share `investigate` of it, `modify`. For each limit the last entry that matches counts.
#[[budget]]
#match = \"parse/*\"
# Percentiles are of samples, each the mean of its iterations.
#p50 = \"2ms\"
#p95 = \"3ms\"
#throughput = \"100 MiB/s\"
#allocations = 12
#bytes = \"64 KiB\"
#peak = \"1 MiB\"
#investigate = \"80%\"

# Programs are built with `--release` on both sides to check this one, which takes its time.
#[[budget]]
#binary = \"*\"
#size = \"12 MiB\"
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_file_shows_is_understood_once_uncommented() {
        let uncommented: String = format!("{HEAD}{RULES}")
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' '))
            .map(|line| format!("{line}\n"))
            .collect();
        let table: toml::Table = uncommented.parse().unwrap();
        let schema = crate::plan::config::json_schema();
        let value = serde_json::to_value(&table).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, [""; 0]);
        assert!(table.len() > 5 && table["benchmark"].as_array().unwrap().len() == 3);
        assert_eq!(table["budget"].as_array().unwrap().len(), 2);
    }
}
