//! The command line of every command except the comparison.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::options::{CompareOptions, TerminalArgs};
use super::value::Span;

/// `cargo perfcheck doctor`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  cargo perfcheck doctor                        what adds noise here, and how to fix it")]
pub struct DoctorArgs {
    /// Format of the findings
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub format: DoctorFormat,
    /// How the output appears on a terminal.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

/// The formats of the doctor's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// For a person
    Text,
    /// For a program
    Json,
}

/// `cargo perfcheck config`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck config                        what holds here, and where it was set
  cargo perfcheck config --schema > perfcheck.schema.json")]
pub struct ConfigArgs {
    /// Print the JSON schema of `perfcheck.toml` instead
    #[arg(long)]
    pub schema: bool,
    /// The options of a comparison.
    #[command(flatten)]
    pub options: CompareOptions,
}

/// `cargo-perfcheck __guardian`, as the run itself calls it.
#[derive(Debug, Clone, clap::Args)]
pub struct GuardianArgs {
    /// Read by `scratch::guardian`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

/// `cargo perfcheck init`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck init                          a perfcheck.toml that explains itself
  cargo perfcheck init --ci github              workflows for pull requests")]
pub struct InitArgs {
    /// Write a recipe for this CI system instead of `perfcheck.toml`
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub ci: Option<CiSystem>,
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
}

/// A system of continuous integration for which there is a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiSystem {
    /// GitHub Actions: a comment on the pull request, the report as an artifact
    Github,
    /// GitLab: the report as an artifact of the merge request's pipeline
    Gitlab,
    /// A plain POSIX shell script, for any other system
    Shell,
}

/// `cargo perfcheck clean`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  cargo perfcheck clean
          The next run of each repository builds both of its sides anew.")]
pub struct CleanArgs {
    /// Where builds are kept, instead of the user's cache folder
    #[arg(long, value_name = "DIR")]
    pub target_dir: Option<PathBuf>,
}

/// `cargo perfcheck hook`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck hook install                  check before every push
  cargo perfcheck hook status
  git push --no-verify                          push once without the check")]
pub struct HookArgs {
    /// What to do with the hook.
    #[command(subcommand)]
    pub command: HookCommand,
}

/// What to do with the hook.
#[derive(Debug, Clone, Subcommand)]
pub enum HookCommand {
    /// Install the pre-push hook; a hook that is there already keeps running before it
    Install(HookInstallArgs),
    /// Remove it, and put back what was there before
    Uninstall,
    /// Say whether it is installed, and where
    Status,
    /// What git runs before a push: reads the pushed refs from stdin
    Run(HookRunArgs),
}

/// `cargo perfcheck hook install`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  cargo perfcheck hook install --limit 5m -- --quick -p parser
          Everything after `--` is an option of the comparison.")]
pub struct HookInstallArgs {
    /// Install it even where `core.hooksPath` is one folder for many repositories
    #[arg(long)]
    pub shared: bool,
    /// Let the push pass unchecked when a comparison takes longer than this
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub limit: Span,
    /// Program that compares, for example a script that does it on a quieter machine; it gets the
    /// arguments of `cargo perfcheck`, and returns the same exit status [default: this one]
    #[arg(long, value_name = "PROGRAM")]
    pub with: Option<PathBuf>,
    /// Options of the comparison
    #[arg(last = true, value_name = "OPTIONS")]
    pub options: Vec<String>,
}

/// `cargo perfcheck hook run`.
#[derive(Debug, Clone, clap::Args)]
pub struct HookRunArgs {
    /// The name of the remote, as git gives it
    pub remote: String,
    /// The address of the remote, as git gives it
    pub url: String,
    /// Let the push pass unchecked when a comparison takes longer than this
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub limit: Span,
    /// Program that compares, for example a script that does it on a quieter machine; it gets the
    /// arguments of `cargo perfcheck`, and returns the same exit status [default: this one]
    #[arg(long, value_name = "PROGRAM")]
    pub with: Option<PathBuf>,
    /// Workspace to check, from the top of the checkout; can be given several times [default: all
    /// that the pushed commit has]
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Vec<PathBuf>,
    /// Options of the comparison
    #[arg(last = true, value_name = "OPTIONS")]
    pub options: Vec<String>,
}

/// `cargo perfcheck completions`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  cargo perfcheck completions bash > ~/.local/share/bash-completion/completions/cargo-perfcheck")]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `cargo perfcheck man`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  cargo perfcheck man ~/.local/share/man/man1   then: man cargo-perfcheck")]
pub struct ManArgs {
    /// The folder to write them to, for example `~/.local/share/man/man1`
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
