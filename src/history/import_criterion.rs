//! Criterion's saved baselines: `target/criterion/**/BASELINE/{benchmark,estimates}.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::Repository;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::imported::{ImportRefusal, ImportSource, ImportedData, ImportedRun, ImportedValue};
use super::record::RecordedCommit;
use super::{HistoryError, commit_of};
use crate::units::Timestamp;

/// Folders of a benchmark that are no baseline: they hold the last run, the one before it, and the page.
const OWN_FOLDERS: [&str; 4] = ["new", "base", "change", "report"];

/// Below Criterion's folder: group, function, value, baseline. A baseline's name may have slashes.
const DEEPEST: usize = 8;

/// What is wanted of a folder.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CriterionRequest<'a> {
    /// Only this baseline.
    pub(crate) baseline: Option<&'a str>,
    /// The revision that it measured; else the one that its name says.
    pub(crate) commit: Option<&'a str>,
    /// The series that its numbers belong to.
    pub(crate) series: Option<&'a str>,
}

#[derive(Deserialize)]
struct CriterionBenchmark {
    full_id: String,
}

#[derive(Deserialize)]
struct CriterionEstimates {
    #[serde(alias = "Median")]
    median: CriterionEstimate,
}

#[derive(Deserialize)]
struct CriterionEstimate {
    point_estimate: f64,
}

/// The baselines below `folder`: a run for each, of the commit that its name or the request says.
pub(crate) fn criterion_data(
    folder: &Path,
    request: CriterionRequest<'_>,
    repository: &Repository,
) -> Result<ImportedData, HistoryError> {
    let mut data = ImportedData::default();
    let series = request.series.unwrap_or(ImportSource::Criterion.name());
    for (name, found) in baselines(folder)? {
        let is_wanted = match request.baseline {
            Some(wanted) => wanted == name,
            None => !OWN_FOLDERS.contains(&&*name),
        };
        if !is_wanted {
            continue;
        }
        let Some(commit) = measured_commit(&name, request.commit, repository)? else {
            data.refused.push(ImportRefusal {
                what: format!("baseline `{name}`"),
                why: "its name is neither a tag nor the id of a commit: say which with `--baseline` and `--commit`"
                    .to_owned(),
            });
            continue;
        };
        let values = values(&found, &mut data.refused);
        if !values.is_empty() {
            let run = ImportedRun::of(ImportSource::Criterion, series, commit, values);
            data.runs.push(run);
        }
    }
    Ok(data)
}

/// The folders with estimates, by the name of their baseline.
fn baselines(folder: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>, HistoryError> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(of) = open.pop() {
        let depth = of
            .strip_prefix(folder)
            .map_or(0, |rest| rest.components().count());
        let inner = folders(&of).map_err(|error| HistoryError::Import {
            path: of.clone(),
            why: error.to_string(),
        })?;
        open.extend(inner.into_iter().filter(|_| depth < DEEPEST));
        let name = of
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        // What changed from one run to the next has estimates, too.
        let name = name.filter(|name| depth > 0 && name != "change");
        if let Some(name) = name.filter(|_| of.join("estimates.json").is_file()) {
            found.entry(name).or_default().push(of);
        }
    }
    found.values_mut().for_each(|of| of.sort());
    Ok(found)
}

/// The folders within one; where a link leads is none of it.
fn folders(of: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(of)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// The commit that is typed, or that a baseline is named after: a branch has moved since, so its name tells nothing.
fn measured_commit(
    name: &str,
    typed: Option<&str>,
    repository: &Repository,
) -> Result<Option<RecordedCommit>, HistoryError> {
    let is_id = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let tag = format!("refs/tags/{name}");
    let id = match typed {
        Some(spec) => commit_of(repository, spec)?,
        None => {
            let named = commit_of(repository, &tag);
            let named = named.or_else(|error| match is_id {
                true => commit_of(repository, name),
                false => Err(error),
            });
            let Ok(id) = named else { return Ok(None) };
            id
        }
    };
    let commit = repository.find_commit(id).ok();
    Ok(Some(RecordedCommit {
        id: id.to_string(),
        date: commit.map(|commit| Timestamp::from_unix(commit.time().seconds())),
    }))
}

fn values(found: &[PathBuf], refused: &mut Vec<ImportRefusal>) -> Vec<ImportedValue> {
    let mut values = Vec::new();
    for folder in found {
        match value(folder) {
            Ok(value) => values.push(value),
            Err(refusal) => refused.push(refusal),
        }
    }
    values
}

/// The median, as Criterion estimates it. It measures time in nanoseconds unless the project makes it measure something else,
/// which its files do not say.
fn value(folder: &Path) -> Result<ImportedValue, ImportRefusal> {
    let benchmark: CriterionBenchmark = read(&folder.join("benchmark.json"))?;
    let path = folder.join("estimates.json");
    let estimates: CriterionEstimates = read(&path)?;
    let median = estimates.median.point_estimate;
    ImportedValue::of(&benchmark.full_id, median, "ns").ok_or_else(|| ImportRefusal {
        what: path.display().to_string(),
        why: format!("{median} is no time of a benchmark"),
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ImportRefusal> {
    let refused = |why: String| ImportRefusal {
        what: path.display().to_string(),
        why,
    };
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
}
