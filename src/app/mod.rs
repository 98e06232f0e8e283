//! The pipeline itself, one call per room, and the program's other commands.

mod actions;
mod assemble;
mod backfill;
mod calibrate;
mod compare;
mod coverage;
mod decide;
mod deliver;
mod disturbances;
mod doubts;
mod early;
mod explain;
mod failure;
mod layouts;
mod left_behind;
mod limits;
mod load;
mod panic;
mod passes;
mod past;
mod pinning;
mod reach;
mod ready;
mod record;
mod rounds;
mod rules;
mod stages;
mod valgrind;
mod workloads;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::demo::{self, DemoSample};
use crate::plan::{
    Actions, Args, Cache, Command, DemoArgs, Deny, Environment, ExitStatus, HistoryArgs,
    HistoryCommand, LoadArgs, Plan, RangeSpec, ReportArgs, Terminal, pair_up, plots_folder,
};
use crate::process::{self, Interrupted, launcher};
use crate::scratch::{self, RunPlace, Scratch, guardian};
use crate::{commands, report};

use failure::RunFailure;

pub use panic::exit_on_panic;

/// Runs the program with the given arguments (its own name first): data goes to `out`, everything else to `err`.
pub fn run(
    words: impl IntoIterator<Item = OsString>,
    mut out: impl Write,
    mut err: impl Write,
) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    if words
        .get(1)
        .is_some_and(|word| word == guardian::SUBCOMMAND)
    {
        return guardian::run(std::io::stdin().lock());
    }
    if words
        .get(1)
        .is_some_and(|word| word == launcher::SUBCOMMAND)
    {
        return launcher::run(&words[2..]);
    }
    let args = match Args::from_words(&words) {
        Ok(args) => args,
        Err(error) => return show_usage(&error),
    };
    let ended = process::listen()
        .map_err(RunFailure::other)
        .and_then(|()| dispatch(args, words, &mut out, &mut err));
    if let Some(interrupted @ Interrupted::Signal(_)) = process::interrupted() {
        let _ = writeln!(err, "{interrupted}");
        // If the run was interrupted, any other failure is a consequence.
        if ended.is_err() {
            return interrupted.exit_code();
        }
    }
    match ended {
        Ok(status) => status.into(),
        Err(failure) => {
            // If stderr is closed, there is nowhere to report a failure.
            let _ = failure.print(&mut err);
            failure.status.into()
        }
    }
}

/// Clap knows which stream `--help`, `--version` and mistakes belong on, and in which colours.
fn show_usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        ExitStatus::Usage.into()
    } else {
        ExitStatus::Success.into()
    }
}

fn dispatch(
    args: Args,
    words: Vec<OsString>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    let environment = Environment::of_process(words)?;
    match args.command {
        None => {
            let plan = settle(Plan::resolve(&args.compare, &environment)?)?;
            let scratch = open_scratch(&plan)?;
            let ended = compare::compare(&plan, &scratch, out);
            close_scratch(scratch, plan.keep)?;
            ended
        }
        Some(Command::Demo(demo)) => run_demo(&demo, &environment, out),
        Some(Command::Calibrate(args)) => {
            let plan = settle(Plan::resolve_calibration(&args, &environment)?)?;
            let scratch = open_scratch(&plan)?;
            let ended = calibrate::calibrate(&args, &plan, &scratch, out);
            close_scratch(scratch, plan.keep)?;
            ended
        }
        Some(Command::Load(args)) => {
            let plan = settle(Plan::resolve_load(&args, &environment)?)?;
            let scratch = open_scratch(&plan)?;
            let ended = load::load(&plan, &scratch, out);
            close_scratch(scratch, plan.keep)?;
            ended
        }
        Some(Command::History(HistoryArgs {
            command: HistoryCommand::Backfill(args),
            ..
        })) => backfill::backfill(&args, &environment, out),
        Some(Command::Report(report)) => render_again(&report, &environment, out, err),
        Some(command) => match commands::run(&command, &environment, out, err) {
            Some(ended) => told(ended),
            // Only the guardian is left. It was dispatched before parsing, unless something other
            // than a run started it.
            None => Ok(ExitStatus::Usage),
        },
    }
}

/// The end of a command that only prints: a reader who closes the pipe has seen enough.
fn told(ended: anyhow::Result<ExitStatus>) -> Result<ExitStatus, RunFailure> {
    let seen_enough = |error: &anyhow::Error| {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
        causes.any(|cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe)
    };
    match ended {
        Err(error) if seen_enough(&error) => Ok(ExitStatus::Success),
        other => other.map_err(RunFailure::of_command),
    }
}

/// Renders saved reports; several are merged first.
fn render_again(
    args: &ReportArgs,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    let outputs = pair_up(&args.output, &environment.cwd)?;
    let terminal = Terminal::resolve(&args.terminal, environment);
    let loaded = args.files.iter().map(|path| report::load(path));
    let mut reports = loaded.collect::<Result<Vec<_>, _>>()?;
    let parts = reports.len();
    let report = match reports.pop() {
        Some(only) if reports.is_empty() => only,
        Some(last) => {
            reports.push(last);
            report::merge(reports)?
        }
        // Clap requires a file.
        None => return Ok(ExitStatus::Usage),
    };
    if let Some(folder) = plots_folder(&args.output, &environment.cwd) {
        deliver::deliver_artifacts(&folder, &report::plots(&report))?;
    }
    deliver::deliver(&report, &outputs, &terminal, out)?;
    // A single report was already shown to GitHub when it was made; the parts of a merged one were not.
    if parts > 1
        && let Some(step) = Actions::of(&args.output.formats, environment)
    {
        actions::tell(&report, &step, err)?;
    }
    // Some reasons of a vote show only when the parts are together. A single run has had its exit status.
    Ok(match parts > 1 || !args.deny.is_empty() {
        true => compare::status(&report, args.deny.contains(&Deny::Modify)),
        false => ExitStatus::Success,
    })
}

/// The plan as this machine allows it.
fn settle(plan: Plan) -> Result<Plan, RunFailure> {
    valgrind::settle(pinning::settle(plan)?)
}

fn open_scratch(plan: &Plan) -> Result<Scratch, RunFailure> {
    let repository = scratch::repository_of(&plan.manifest_path);
    open_scratch_for(Some(&repository), plan.selection.target_dir.as_deref())
}

fn open_scratch_for(
    repository: Option<&Path>,
    target_dir: Option<&Path>,
) -> Result<Scratch, RunFailure> {
    let place = RunPlace::choose(repository, target_dir)?;
    let own_program = std::env::current_exe().map_err(RunFailure::other)?;
    Ok(Scratch::create_at(&place, Some(&own_program))?)
}

/// Removes the run's folder, or says where it stays.
fn close_scratch(scratch: Scratch, keep: bool) -> Result<(), RunFailure> {
    if keep {
        let path = scratch.keep()?;
        // Printed to stderr whatever the verbosity: the user asked for it.
        anstream::eprintln!("kept: {}", path.display());
        return Ok(());
    }
    Ok(scratch.close()?)
}

/// The sample lies in the run's own folder, so that it vanishes, and is kept, with the run.
fn run_demo(
    args: &DemoArgs,
    environment: &Environment,
    out: &mut impl Write,
) -> Result<ExitStatus, RunFailure> {
    let target_dir = args.options.selection.target_dir.as_ref();
    let target_dir = target_dir.map(|folder| environment.cwd.join(folder));
    let scratch = open_scratch_for(None, target_dir.as_deref())?;
    let kind = match args.service {
        true => DemoSample::Service,
        false => DemoSample::Benchmarks,
    };
    let sample = demo::unpack(kind, &scratch.path().join("demo"))?;
    let manifest = sample.root.join("Cargo.toml");
    let plan = match kind {
        DemoSample::Benchmarks => {
            let range = RangeSpec::parse(Some(&sample.range));
            Plan::of(&args.options, range, manifest, environment)
        }
        DemoSample::Service => {
            let mut options = args.options.clone();
            options.selection.manifest_path = Some(manifest);
            let (what, tests) = (vec![sample.range], Vec::new());
            let args = LoadArgs {
                what,
                tests,
                options,
            };
            Plan::resolve_load(&args, environment)
        }
    };
    let mut plan = settle(plan?)?;
    // The sample is unpacked to another place each time.
    plan.cache = Cache::Off;
    let ended = match kind {
        DemoSample::Benchmarks => compare::compare(&plan, &scratch, out),
        DemoSample::Service => load::load(&plan, &scratch, out),
    };
    close_scratch(scratch, plan.keep)?;
    ended
}
