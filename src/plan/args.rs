//! The command line.

/// What was typed.
#[derive(Debug, Clone, clap::Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of a comparison.
    #[command(flatten)]
    pub compare: CompareArgs,
}

/// What to do instead of comparing two revisions.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Compare two revisions of an embedded sample repository with planted changes.
    Demo,
}

/// The options of a comparison.
#[derive(Debug, Clone, clap::Args)]
pub struct CompareArgs {
    /// `A..B`, `A...B`, `A..`, `A`; none: merge base with the default branch to the working tree.
    pub range: Option<String>,
}
