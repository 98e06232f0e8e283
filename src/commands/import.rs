//! `cargo perfcheck history import`.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use git2::Repository;

use crate::history::{
    self, CriterionRequest, HistoryError, HistoryStore, ImportRefusal, ImportedData, RunRecord,
    StoredFile,
};
use crate::plan::{Environment, ExitStatus, HistoryImportArgs, LocatedHistory};
use crate::report;
use crate::units::plural;

/// Adds what saved reports, exported files and other tools' data hold.
pub(super) fn import(
    args: &HistoryImportArgs,
    located: &LocatedHistory,
    store: &HistoryStore,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    let mut files = Vec::new();
    for path in &args.files {
        let path = environment.cwd.join(path);
        files.extend(match path.is_dir() {
            true => of_tool(&path, criterion(&path, args, located)?, err)?,
            false => imported(&path, args, err)?,
        });
    }
    let before = store.read()?.files;
    files.retain(|file| !before.contains(file));
    store.add(&files)?;
    writeln!(
        out,
        "{} added to {store}",
        plural(files.len(), "file", "files")
    )?;
    Ok(ExitStatus::Success)
}

/// Criterion's baselines in a folder.
fn criterion(
    folder: &Path,
    args: &HistoryImportArgs,
    located: &LocatedHistory,
) -> anyhow::Result<ImportedData> {
    let repository = Repository::discover(&located.folder);
    let repository = repository.map_err(|source| HistoryError::Repository {
        folder: located.folder.clone(),
        source,
    })?;
    let request = CriterionRequest {
        baseline: args.baseline.as_deref(),
        commit: args.commit.as_deref(),
        series: args.series.as_deref(),
    };
    Ok(history::criterion_data(folder, request, &repository)?)
}

/// A saved report, lines of `history export`, or the data of github-action-benchmark.
fn imported(
    path: &Path,
    args: &HistoryImportArgs,
    err: &mut impl Write,
) -> anyhow::Result<Vec<StoredFile>> {
    let text = fs_err::read_to_string(path)?;
    if let Some(files) = from_lines(&text) {
        return Ok(files);
    }
    if let Some(data) = history::action_data(&text, args.series.as_deref()) {
        let data = data.map_err(|error| HistoryError::Import {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        return of_tool(path, data, err);
    }
    let report = report::load(path)?;
    let run = RunRecord::of(&report).with_context(|| format!("`{}`", path.display()))?;
    Ok(vec![StoredFile::Run(Box::new(run))])
}

/// What another tool's data holds; what of it cannot be used is named, and costs nothing of the rest.
fn of_tool(
    path: &Path,
    data: ImportedData,
    err: &mut impl Write,
) -> anyhow::Result<Vec<StoredFile>> {
    for ImportRefusal { what, why } in &data.refused {
        writeln!(
            err,
            "skipped {} of `{}`: {}",
            report::visible(what),
            path.display(),
            report::visible(why)
        )?;
    }
    if data.runs.is_empty() {
        let why = match data.refused.is_empty() {
            true => "it holds no measurement of a commit",
            false => "nothing in it can be used",
        };
        return Err(HistoryError::Import {
            path: path.to_owned(),
            why: why.to_owned(),
        }
        .into());
    }
    let runs = data.runs.into_iter().map(Box::new);
    Ok(runs.map(StoredFile::Imported).collect())
}

/// What a text holds in which every line is a record.
fn from_lines(text: &str) -> Option<Vec<StoredFile>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let files: Result<Vec<StoredFile>, _> = lines.map(serde_json::from_str).collect();
    files.ok().filter(|files| !files.is_empty())
}
