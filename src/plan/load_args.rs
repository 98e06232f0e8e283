//! The command line of services under load.

use super::load_test::LoadTest;
use super::options::CompareOptions;

/// `cargo perfcheck load`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck load main..HEAD               every `[[service]]` of perfcheck.toml
  cargo perfcheck load api main..HEAD --quick   one of them, in half of the rounds
  cargo perfcheck load api --test ramp-up       at which rate each side breaks
  cargo perfcheck load api --test limits        what less memory, files or connections do to each side")]
pub struct LoadArgs {
    /// The service, and which revisions to compare, as without `load`; either can be left out
    #[arg(value_name = "[NAME] [RANGE]", num_args = 0..=2, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub what: Vec<String>,
    /// Run only this test, whatever the service's `tests` says; can be given several times
    #[arg(long = "test", value_name = "TEST", value_enum)]
    pub tests: Vec<LoadTest>,
    /// How to compare.
    #[command(flatten)]
    pub options: CompareOptions,
}
