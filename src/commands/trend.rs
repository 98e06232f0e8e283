//! `cargo perfcheck trend`.

use std::collections::BTreeSet;
use std::io::Write;

use git2::Repository;

use super::history::{nothing_yet, read};
use crate::history::{
    self, CommitOrder, HistoryError, HistoryStore, ImportedTrends, RunRecord, TrendRequest, Trends,
};
use crate::plan::{Environment, ExitStatus, Terminal, TrendArgs, TrendFormat};
use crate::units::Metric;

/// Shows how every benchmark went over the commits that runs were kept of.
///
/// # Errors
/// The history cannot be read, a revision is unknown, or the trend cannot be written.
pub(super) fn trend(
    args: &TrendArgs,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let located = args.of.resolve_with(&args.rename, environment)?;
    let store = HistoryStore::open(&located.place, &located.folder)?;
    let contents = read(&store, err)?;
    let repository = Repository::discover(&located.folder).ok();
    let runs = contents.runs();
    let order = CommitOrder::of(&runs, repository.as_ref(), &args.branch)?;
    let anchor = match (&args.anchor, &repository) {
        (Some(spec), Some(repository)) => Some(history::commit_of(repository, spec)?.to_string()),
        (anchor, _) => anchor.clone(),
    };
    let request = TrendRequest {
        metric: metric(&args.metric, &runs)?,
        benchmark: args.benchmark.as_deref(),
        anchor: anchor.as_deref(),
        renames: &located.renames,
    };
    let empty = runs.is_empty();
    let metric = request.metric;
    let trends = Trends::of(&contents, order, request)?;
    // What other tools measured has no metric of ours.
    let imported = match metric == Metric::TIME {
        true => contents.imported(),
        false => Vec::new(),
    };
    let part = args.benchmark.as_deref();
    let imported = ImportedTrends::of(&imported, part, repository.as_ref(), &args.branch)?;
    let nothing = trends.benchmarks.is_empty();
    if nothing && imported.is_empty() && args.chosen_format() == TrendFormat::Text {
        let why = match (empty, &args.benchmark) {
            (false, Some(part)) => format!("no benchmark in {store} has `{part}` in its name"),
            (false, None) => format!("no run in {store} is of two commits of `{}`", args.branch),
            (true, _) => return nothing_yet(&store, out),
        };
        return Err(HistoryError::Nothing { why }.into());
    }
    let text = match args.chosen_format() {
        TrendFormat::Text => {
            let terminal = Terminal::resolve(&args.terminal, environment);
            let of_runs = match nothing {
                true => String::new(),
                false => history::trend_text(&trends, part.is_some(), terminal.charset),
            };
            of_runs + &history::imported_text(&imported, terminal.charset)
        }
        TrendFormat::Html => history::trend_page(&trends, &imported),
        TrendFormat::Json => history::trend_json(&trends, &imported)?,
        TrendFormat::Csv => history::trend_csv(&trends),
    };
    match &args.output {
        Some(path) => fs_err::write(environment.cwd.join(path), text)?,
        None => out.write_all(text.as_bytes())?,
    }
    Ok(ExitStatus::Success)
}

/// The metric of this name, if a run has it.
fn metric(name: &str, runs: &[&RunRecord]) -> Result<Metric, HistoryError> {
    if name == Metric::TIME.id {
        return Ok(Metric::TIME);
    }
    let benchmarks = runs.iter().flat_map(|run| &run.benchmarks);
    let known: BTreeSet<&String> = benchmarks.flat_map(|one| one.metrics.keys()).collect();
    let found = known.iter().find(|known| **known == name);
    let found = found.and_then(|known| Metric::with_id(known));
    found.ok_or_else(|| HistoryError::NoMetric {
        metric: name.to_owned(),
        known: known.into_iter().cloned().collect(),
    })
}
