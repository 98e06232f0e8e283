//! The command line of services under load.

use super::options::CompareOptions;

/// `cargo perfcheck load`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck load main..HEAD               every `[[service]]` of perfcheck.toml
  cargo perfcheck load api main..HEAD --quick   one of them, in half of the rounds")]
pub struct LoadArgs {
    /// The service, and which revisions to compare, as without `load`; either can be left out
    #[arg(value_name = "[NAME] [RANGE]", num_args = 0..=2, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub what: Vec<String>,
    /// How to compare.
    #[command(flatten)]
    pub options: CompareOptions,
}
