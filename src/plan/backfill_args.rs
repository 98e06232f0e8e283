//! The command line that measures commits of the past.

use super::options::CompareOptions;

/// `cargo perfcheck history backfill`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck history backfill v1.4..main --dry-run     what is missing, and about how long it takes
  cargo perfcheck history backfill v1.4..main --time 30m    half an hour of it, the newest commits first
  cargo perfcheck history backfill HEAD~30.. --quick        a first picture of the last 30 commits

The same command goes on where the last one stopped: what is recorded is not measured again.

Exit status:
  0    every pair of neighbouring commits is recorded
  103  `--time` ended it before that; every pair that was finished is recorded
  102  no pair fitted into `--time`
  128+n  signal n ended it; every pair that was finished is recorded")]
pub struct BackfillArgs {
    /// The commits: each is compared with its first parent, the newest first
    #[arg(value_name = "A..B", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub range: String,
    /// List what would be measured, and about how long it takes
    #[arg(long)]
    pub dry_run: bool,
    /// Try commits again that an earlier call could not build
    #[arg(long)]
    pub retry: bool,
    /// How to compare. `--time` is for all commits together.
    #[command(flatten)]
    pub options: CompareOptions,
}
