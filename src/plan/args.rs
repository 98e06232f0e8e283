//! The command line: what was typed, before anything is decided from it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use super::history_args::{HistoryArgs, TrendArgs};
use super::load_args::LoadArgs;
use super::options::{CompareOptions, Deny, OutputArgs, TerminalArgs};
use super::side_args::{
    CleanArgs, CompletionsArgs, ConfigArgs, DoctorArgs, GuardianArgs, HookArgs, InitArgs, ManArgs,
};
use super::value::Share;
use crate::units::quoted;

/// Find out what a change did to the performance of a Rust workspace.
///
/// Builds the workspace at two git revisions in folders of its own, runs the project's own Criterion
/// benchmarks on both in alternation, and reports the differences with their uncertainty. Your
/// checkout is never touched.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "cargo-perfcheck",
    bin_name = "cargo perfcheck",
    version,
    after_help = AFTER_HELP,
    after_long_help = AFTER_LONG_HELP,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Args {
    /// What to do instead of a comparison.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Which revisions to compare, and how.
    #[command(flatten)]
    pub compare: CompareArgs,
}

const AFTER_HELP: &str = "\
Examples:
  cargo perfcheck main..HEAD       what the commits of this branch did
  cargo perfcheck                  the same, uncommitted changes included
  cargo perfcheck demo             see a report, without a project of your own
  cargo perfcheck --help           every option, explained";

const AFTER_LONG_HELP: &str = "\
Examples:
  cargo perfcheck main..HEAD
          Compare the tips of main and of this branch.
  cargo perfcheck main...HEAD
          Compare with the commit where this branch left main: what a pull request changes.
  cargo perfcheck HEAD
          Compare the last commit with the working tree, uncommitted changes included.
  cargo perfcheck v1.2.0..v1.3.0 -p parser --filter '^parse/'
          One package's benchmarks between two releases, those whose id begins with `parse/`.
  cargo perfcheck --format json --output perf.json --format markdown --output perf.md
          Two reports from one run; formats and files pair up in order.
  cargo perfcheck main...HEAD --report-dir perf
          The report in every format, one file each: what to keep as an artifact.
  cargo perfcheck main..HEAD --threshold 0.5% --thorough
          Look closer: count half a per cent as a difference, and spend more time on each benchmark.
  cargo perfcheck --quick --time 5m
          A brief look that ends, building included, within five minutes.
  cargo perfcheck main..HEAD --run '{bin:tool} data.json'
          Compare a whole program of the workspace instead of its benchmarks.
  cargo perfcheck main~1..main --record
          Keep what was measured; `cargo perfcheck trend` shows the kept runs together.
  cargo perfcheck -- demo
          A branch whose name is that of a command.

`--no-` before the name of a switch undoes what a file or a variable sets (`--no-locked`). If the
name begins with `no-`, leave that out instead (`--cache`).

Exit status:
  0    approved, or the vote is `modify` and not denied (--deny modify)
  2    the command line or the configuration cannot be understood
  100  rejected: something is slower or over its budget, for example
  101  the run could not be completed, or its report could not be written
  102  benchmarks had to be measured, and none of them was
  103  the run ended early (a signal, --time, a pass that failed); the report is partial";

/// What to do instead of comparing two revisions of this workspace.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// See it work: compare two revisions of an embedded sample repository with planted changes
    Demo(DemoArgs),
    /// Compare a revision with itself: this machine's noise, and the smallest change it can show
    Calibrate(CalibrateArgs),
    /// Compare services under load: throughput, latency, processor time and memory of both revisions
    Load(LoadArgs),
    /// Render saved JSON reports again, in any format
    Report(ReportArgs),
    /// Show how every benchmark developed over the recorded commits, and where it changed
    Trend(TrendArgs),
    /// List, share, import and export the runs that `--record` kept
    History(HistoryArgs),
    /// Check what on this machine adds noise, and how to fix it
    Doctor(DoctorArgs),
    /// Show every setting as it would be used here, and where it was set
    Config(ConfigArgs),
    /// Write a commented `perfcheck.toml`, or a recipe for continuous integration
    Init(InitArgs),
    /// Check performance before every `git push`
    Hook(HookArgs),
    /// Remove the builds that earlier runs left for later ones
    Clean(CleanArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
    /// Cleans up after a run that was killed; started by the run itself.
    #[command(name = "__guardian", hide = true)]
    Guardian(GuardianArgs),
}

/// `cargo perfcheck [RANGE]`.
#[derive(Debug, Clone, clap::Args)]
pub struct CompareArgs {
    /// Which revisions to compare
    ///
    /// `A..B`: from A to B. `A...B`: from where B left A, to B. `A..`: to HEAD. `A`: to the working
    /// tree, uncommitted changes included. None: from the merge base with the default branch to the
    /// working tree. A and B are anything that git understands: branches, tags, commit ids, `HEAD~3`.
    // An empty variable in a script must not become "everything since nothing".
    #[arg(value_name = "RANGE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub range: Option<String>,
    /// How to compare.
    #[command(flatten)]
    pub options: CompareOptions,
}

/// `cargo perfcheck demo`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck demo                          see a report
  cargo perfcheck demo --report-dir demo        the same, in every format
  cargo perfcheck demo --service                a small service under load")]
pub struct DemoArgs {
    /// Load a small service instead of running benchmarks
    #[arg(long)]
    pub service: bool,
    /// How to compare.
    #[command(flatten)]
    pub options: CompareOptions,
}

/// `cargo perfcheck calibrate`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck calibrate                     how noisy is this machine?
  cargo perfcheck calibrate --inject 2%         would a slowdown of two per cent be seen?")]
pub struct CalibrateArgs {
    /// The revision to compare with itself
    #[arg(value_name = "REVISION", default_value = "HEAD")]
    pub revision: String,
    /// How many times to run the whole comparison
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub runs: u16,
    /// Lengthen the head side's samples by this share, to see whether perfcheck finds a change of that size
    #[arg(long, value_name = "SHARE")]
    pub inject: Option<Share>,
    /// How to compare.
    #[command(flatten)]
    pub options: CompareOptions,
}

/// `cargo perfcheck report`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cargo perfcheck report perf.json --format html -o perf.html
  cargo perfcheck report 1.json 2.json 3.json 4.json --report-dir perf
          Merge the parts of one comparison, measured on several machines with --partition.")]
pub struct ReportArgs {
    /// Reports that were saved with `--format json --output FILE`
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Votes that fail the command, in addition to `reject`: for a report that is merged from parts, and for a single
    /// one if this option is given
    #[arg(long, value_enum, value_name = "VOTE")]
    pub deny: Vec<Deny>,
    /// Where the rendered reports go.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How the output appears on a terminal.
    #[command(flatten)]
    pub terminal: TerminalArgs,
}

impl Args {
    /// Parses the arguments of the program, its own name first.
    ///
    /// Cargo starts `cargo-perfcheck perfcheck …` for `cargo perfcheck …`; that extra word is dropped.
    ///
    /// # Errors
    /// Clap's own error, which also carries `--help` and `--version`: `exit_code()` and `render()`
    /// say what to do with it.
    pub fn from_words(words: &[OsString]) -> Result<Args, clap::Error> {
        let name = words.iter().take(1);
        Args::try_parse_from(name.chain(own_words(words))).map_err(name_the_stray_word)
    }
}

/// The command whose spelling is nearest to `word`. A misspelt command is otherwise read as a range of revisions.
#[must_use]
pub fn near_command(word: &str) -> Option<String> {
    const ALIKE: f64 = 0.6;
    let command = Args::command();
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(name, word);
    let near = shown
        .map(|one| (likeness(one.get_name()), one.get_name()))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (near.0 >= ALIKE).then(|| near.1.to_owned())
}

/// Clap takes an extra word for a subcommand in the wrong place. People who are used to `cargo bench`
/// mean a filter by it.
fn name_the_stray_word(error: clap::Error) -> clap::Error {
    let stray = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::ArgumentConflict, Some(ContextValue::String(word))) => word.clone(),
        _ => return error,
    };
    let mut command = Args::command();
    if stray.starts_with('-') || command.find_subcommand(&stray).is_some() {
        return error;
    }
    command.error(
        ErrorKind::UnknownArgument,
        format!(
            "unexpected argument '{stray}' found\n\n  tip: to choose benchmarks, use '--filter {}'",
            quoted(&stray)
        ),
    )
}

/// The arguments after the program's name, without the `perfcheck` that cargo inserts.
pub(super) fn own_words(words: &[OsString]) -> &[OsString] {
    match words {
        [_, first, rest @ ..] if first == "perfcheck" => rest,
        [_, rest @ ..] => rest,
        [] => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Args::from_words(&words)
    }

    #[test]
    fn a_command_that_is_spelled_wrong_is_recognised() {
        assert_eq!(near_command("doctr").as_deref(), Some("doctor"));
        assert_eq!(near_command("callibrate").as_deref(), Some("calibrate"));
        assert_eq!(near_command("feature/parser"), None);
        assert_eq!(near_command("__guardan"), None);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_teaches_with_an_example() {
        let args = Args::command();
        let visible = args
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        for command in visible {
            let help = command.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{}: {help}", command.get_name());
        }
    }

    #[test]
    fn cargo_and_direct_calls_mean_the_same() {
        for call in ["cargo-perfcheck", "cargo-perfcheck perfcheck"] {
            let args = parse(&format!("{call} main..HEAD --locked")).unwrap();
            assert_eq!(args.compare.range.as_deref(), Some("main..HEAD"));
            assert!(args.compare.options.selection.locked);
        }
    }

    #[test]
    fn a_branch_called_perfcheck_or_demo_can_still_be_compared() {
        let args = parse("cargo-perfcheck perfcheck perfcheck").unwrap();
        assert_eq!(args.compare.range.as_deref(), Some("perfcheck"));
        let args = parse("cargo-perfcheck perfcheck -- demo").unwrap();
        assert!(args.command.is_none());
        assert_eq!(args.compare.range.as_deref(), Some("demo"));
        let args = parse("cargo-perfcheck perfcheck demo..HEAD").unwrap();
        assert_eq!(args.compare.range.as_deref(), Some("demo..HEAD"));
    }

    #[test]
    fn a_word_too_many_is_answered_with_the_option_for_filters() {
        for line in [
            "cargo-perfcheck main.. parse",
            "cargo-perfcheck main.. --rounds 7 -- parse",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            let error = error.to_string();
            assert!(error.contains("unexpected argument 'parse'"), "{error}");
            assert!(error.contains("--filter parse"), "{error}");
        }
        let error = parse("cargo-perfcheck main.. demo")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("--filter"), "{error}");
    }

    #[test]
    fn options_stand_on_either_side_of_the_range() {
        for line in [
            "cargo-perfcheck --rounds 7 -p a main..",
            "cargo-perfcheck main.. -p a --rounds 7",
        ] {
            let options = parse(line).unwrap().compare.options;
            assert_eq!(options.sampling.rounds, Some(7));
            assert_eq!(options.selection.packages, ["a"]);
        }
    }

    #[test]
    fn the_demo_takes_every_option_of_a_comparison() {
        let args = parse("cargo-perfcheck demo --keep --format json --output demo.json").unwrap();
        let Some(Command::Demo(demo)) = args.command else {
            panic!("not the demo: {args:?}")
        };
        assert!(demo.options.keep);
        assert_eq!(demo.options.output.formats, [Format::Json]);
    }

    #[test]
    fn calibration_has_a_revision_and_an_injected_share() {
        let args = parse("cargo-perfcheck calibrate v1 --inject 1% --runs 3").unwrap();
        let Some(Command::Calibrate(calibrate)) = args.command else {
            panic!("not a calibration: {args:?}")
        };
        assert_eq!(calibrate.revision, "v1");
        assert_eq!(calibrate.inject, Some(Share::from_fraction(0.01)));
        assert_eq!(calibrate.runs, 3);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            "cargo-perfcheck -q -v",
            "cargo-perfcheck --exclude a",
            "cargo-perfcheck report",
            "cargo-perfcheck --threshold 1",
            "cargo-perfcheck main HEAD",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_misspelt_option_is_answered_with_the_right_one() {
        let error = parse("cargo-perfcheck --treshold 1%")
            .unwrap_err()
            .to_string();
        assert!(error.contains("--threshold"), "{error}");
    }

    #[test]
    fn the_guardian_gets_its_words_unread() {
        let args = parse("cargo-perfcheck __guardian --parent 1 /tmp/x").unwrap();
        let Some(Command::Guardian(guardian)) = args.command else {
            panic!("not the guardian: {args:?}")
        };
        assert_eq!(guardian.words, ["--parent", "1", "/tmp/x"]);
    }
}
