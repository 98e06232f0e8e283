//! `cargo perfcheck history`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use git2::Repository;

use super::import::import;
use crate::history::{
    self, Acceptance, CommitOrder, HistoryError, HistoryStore, RefusedFile, RemoteHistory,
    RunRecord, StoreContents, StoredFile,
};
use crate::plan::{
    Environment, ExitStatus, HistoryAcceptArgs, HistoryArgs, HistoryCommand, HistoryExportArgs,
    HistoryExportFormat, HistoryPruneArgs, LocatedHistory,
};
use crate::report;
use crate::units::{BenchmarkKey, Timestamp, plural};

/// Lists, verifies, imports or exports the runs that were kept.
///
/// # Errors
/// There is no repository, the history cannot be read or written, or a file cannot be imported.
pub(super) fn history(
    args: &HistoryArgs,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let located = args.of.resolve(environment)?;
    let store = HistoryStore::open(&located.place, &located.folder)?;
    match &args.command {
        HistoryCommand::List => list(&store, out, err),
        HistoryCommand::Verify => verify(&store, out),
        // It was dispatched before, since it measures.
        HistoryCommand::Backfill(_) => Ok(ExitStatus::Usage),
        HistoryCommand::Import(args) => import(args, &located, &store, environment, out, err),
        HistoryCommand::Export(args) => {
            let contents = read(&store, err)?;
            let text = exported(args, &contents, &located.folder, err)?;
            out.write_all(text.as_bytes())?;
            Ok(ExitStatus::Success)
        }
        HistoryCommand::Push(args) => push(&args.remote, &store, out),
        HistoryCommand::Fetch(args) => fetch(&args.remote, &store, out),
        HistoryCommand::Prune(args) => prune(args, &store, out),
        HistoryCommand::Accept(args) => accept(args, &located, &store, out),
    }
}

/// The runs in the format that is asked for.
fn exported(
    args: &HistoryExportArgs,
    contents: &StoreContents,
    folder: &Path,
    err: &mut impl Write,
) -> anyhow::Result<String> {
    let repository = Repository::discover(folder).ok();
    let runs = contents.runs();
    let mut order = || -> anyhow::Result<CommitOrder> {
        let order = CommitOrder::of(&runs, repository.as_ref(), &args.branch)?;
        for note in &order.notes {
            writeln!(err, "note: {note}")?;
        }
        Ok(order)
    };
    Ok(match args.format {
        HistoryExportFormat::Jsonl => history::json_lines(&contents.files)?,
        HistoryExportFormat::Csv => history::csv(&contents.files),
        HistoryExportFormat::Bencher => {
            let branch = branch_name(&args.branch, repository.as_ref());
            history::bencher_lines(&runs, &order()?, &branch)?
        }
        HistoryExportFormat::GithubActionBenchmark => {
            history::data_js(&runs, &order()?, repository.as_ref())?
        }
    })
}

/// What a branch is called elsewhere: the name behind `HEAD`, or the revision as it was typed.
fn branch_name(typed: &str, repository: Option<&Repository>) -> String {
    let head = repository.filter(|_| typed == "HEAD").map(Repository::head);
    let name = head.and_then(Result::ok).filter(git2::Reference::is_branch);
    let name = name.and_then(|head| head.shorthand().ok().map(str::to_owned));
    name.unwrap_or_else(|| typed.to_owned())
}

/// Everything that is kept; what cannot be used is named, and costs nothing of the rest.
pub(super) fn read(store: &HistoryStore, err: &mut impl Write) -> anyhow::Result<StoreContents> {
    let contents = store.read()?;
    for RefusedFile { path, why } in &contents.refused {
        writeln!(err, "skipped `{path}` of {store}: {why}")?;
    }
    Ok(contents)
}

/// What a history without runs is answered with.
pub(super) fn nothing_yet(
    store: &HistoryStore,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    writeln!(
        out,
        "{store} holds no run\n\nto keep one: `cargo perfcheck main~1..main --record`; to get those of others: \
         `cargo perfcheck history fetch`"
    )?;
    Ok(ExitStatus::Success)
}

fn list(
    store: &HistoryStore,
    out: &mut impl Write,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let contents = read(store, err)?;
    let mut runs = contents.runs();
    let imported = history::shown_imports(&contents.imported());
    if runs.is_empty() && imported.is_none() {
        return nothing_yet(store, out);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.date));
    for run in runs {
        let date = run
            .date
            .map_or_else(|| "-".to_owned(), |date| date.to_string());
        let commits = run
            .commits
            .as_ref()
            .map(|commit| history::short(&commit.id));
        let machine = &run.machine;
        writeln!(
            out,
            "{date:20}  {}..{}  {}  {}, {}",
            commits.base,
            commits.head,
            plural(run.benchmarks.len(), "benchmark", "benchmarks"),
            report::visible(&machine.cpu),
            plural(machine.cores, "processor", "processors"),
        )?;
    }
    if let Some(imported) = imported {
        writeln!(out, "{imported}")?;
    }
    Ok(ExitStatus::Success)
}

fn verify(store: &HistoryStore, out: &mut impl Write) -> anyhow::Result<ExitStatus> {
    let contents = store.read()?;
    for RefusedFile { path, why } in &contents.refused {
        writeln!(out, "`{path}`: {why}")?;
    }
    let (good, bad) = (contents.files.len(), contents.refused.len());
    writeln!(
        out,
        "{store}: {} can be used, {bad} cannot",
        plural(good, "file", "files")
    )?;
    Ok(match bad {
        0 => ExitStatus::Success,
        _ => ExitStatus::Incomplete,
    })
}

fn push(remote: &str, store: &HistoryStore, out: &mut impl Write) -> anyhow::Result<ExitStatus> {
    let shared = store.shared()?;
    if shared.is_empty() {
        let why = format!("{store} holds no run");
        return Err(HistoryError::Nothing { why }.into());
    }
    shared.push(remote)?;
    writeln!(out, "`{remote}` has everything that {store} has")?;
    Ok(ExitStatus::Success)
}

fn fetch(remote: &str, store: &HistoryStore, out: &mut impl Write) -> anyhow::Result<ExitStatus> {
    let before = store.read()?.files.len();
    match store.shared()?.fetch(remote)? {
        RemoteHistory::United => {
            let new = store.read()?.files.len().saturating_sub(before);
            writeln!(out, "{} new from `{remote}`", plural(new, "file", "files"))?;
        }
        RemoteHistory::Absent => writeln!(out, "`{remote}` has no history")?,
    }
    Ok(ExitStatus::Success)
}

fn prune(
    args: &HistoryPruneArgs,
    store: &HistoryStore,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let now = Timestamp::now().as_unix();
    let oldest = args.older_than.map(|age| {
        let age = i64::try_from(age.as_duration().as_secs()).unwrap_or(i64::MAX);
        now.saturating_sub(age)
    });
    let is_old = |file: &StoredFile| {
        let date = match file {
            StoredFile::Run(run) => run.date,
            StoredFile::Imported(run) => run.date.or(run.commit.date),
            StoredFile::Unbuildable(commit) => Some(commit.date),
            StoredFile::Accepted(_) => None,
        };
        let date = date.map(Timestamp::as_unix);
        date.zip(oldest).is_some_and(|(date, oldest)| date < oldest)
    };
    let gone = store.prune(is_old)?;
    writeln!(
        out,
        "{} removed from {store}",
        plural(gone, "file", "files")
    )?;
    Ok(ExitStatus::Success)
}

fn accept(
    args: &HistoryAcceptArgs,
    located: &LocatedHistory,
    store: &HistoryStore,
    out: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let repository = Repository::discover(&located.folder)?;
    let commit = history::commit_of(&repository, &args.commit)?.to_string();
    let contents = store.read()?;
    let runs = contents.runs();
    let key = meant_by(&args.benchmark, &runs)?;
    store.add(&[StoredFile::Accepted(Acceptance {
        key: key.clone(),
        why: args.why.clone(),
        date: Timestamp::now(),
        commit,
    })])?;
    writeln!(out, "accepted: what {} did to {key}", args.commit)?;
    Ok(ExitStatus::Success)
}

/// The benchmark that `part` means: its id or its whole name, or else the only one that has it in its name.
fn meant_by<'r>(part: &str, runs: &[&'r RunRecord]) -> Result<&'r BenchmarkKey, HistoryError> {
    let benchmarks = runs.iter().flat_map(|run| &run.benchmarks);
    let known: BTreeSet<&BenchmarkKey> = benchmarks.map(|one| &one.key).collect();
    let exactly = |key: &&&BenchmarkKey| key.id == part || key.to_string() == part;
    let mut meant: Vec<&BenchmarkKey> = known.iter().filter(exactly).copied().collect();
    if meant.is_empty() {
        meant.extend(known.iter().filter(|key| key.to_string().contains(part)));
    }
    match meant[..] {
        [key] => Ok(key),
        _ => Err(HistoryError::Ambiguous {
            part: part.to_owned(),
            names: meant.iter().map(|key| key.to_string()).collect(),
        }),
    }
}
