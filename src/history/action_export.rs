//! Runs as github-action-benchmark keeps them: the `data.js` beside its page of charts.
//!
//! <https://github.com/benchmark-action/github-action-benchmark>. A suite is a page section with a chart for each
//! benchmark; each machine class has one, since their absolute numbers are no series together.

use std::collections::BTreeMap;

use git2::Repository;
use serde::Serialize;

use super::absolute::{RunHead, class_name, heads, known_metrics};
use super::record::{RecordedBenchmark, RecordedChange};
use super::{CommitOrder, HistoryError, RunRecord, short};
use crate::report::visible;
use crate::units::{Better, Metric, Ratio, Timestamp, Unit};

/// What the file begins with. The action cuts off so many characters and reads the rest as JSON.
pub(super) const SCRIPT_PREFIX: &str = "window.BENCHMARK_DATA = ";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionHistory {
    last_update: i64,
    repo_url: String,
    entries: BTreeMap<String, Vec<ActionRun>>,
}

#[derive(Serialize)]
struct ActionRun {
    commit: ActionCommit,
    date: i64,
    tool: &'static str,
    benches: Vec<ActionBench>,
}

/// The page shows the committer, and opens the address of a point that is clicked at.
#[derive(Clone, Serialize)]
struct ActionCommit {
    author: ActionPerson,
    committer: ActionPerson,
    id: String,
    message: String,
    timestamp: String,
    url: String,
}

/// The name of a commit's author, for want of an account's name.
#[derive(Clone, Serialize)]
struct ActionPerson {
    name: String,
    username: String,
}

#[derive(Serialize)]
struct ActionBench {
    name: String,
    unit: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<String>,
}

/// All runs whose head side is in `order`, in the order of those commits.
pub(crate) fn data_js(
    runs: &[&RunRecord],
    order: &CommitOrder,
    repository: Option<&Repository>,
) -> Result<String, HistoryError> {
    let address = repository.and_then(web_address).unwrap_or_default();
    let mut history = ActionHistory {
        last_update: runs
            .iter()
            .filter_map(|run| run.date)
            .max()
            .map_or(0, millis),
        entries: BTreeMap::new(),
        repo_url: address.clone(),
    };
    for head in heads(runs, order) {
        let commit = commit(&head, &address);
        for (better, tool, suffix) in [
            (Better::Lower, "customSmallerIsBetter", ""),
            (Better::Higher, "customBiggerIsBetter", " (more is better)"),
        ] {
            let benches = benches(head.run, better);
            if !benches.is_empty() {
                let suite = format!("{}{suffix}", visible(&class_name(&head.run.machine)));
                let runs = history.entries.entry(suite).or_default();
                runs.push(ActionRun {
                    date: head.run.date.or(head.commit.date).map_or(0, millis),
                    commit: commit.clone(),
                    tool,
                    benches,
                });
            }
        }
    }
    let text = serde_json::to_string_pretty(&history);
    let text = text.map_err(|source| HistoryError::Encode { source })?;
    Ok(format!("{SCRIPT_PREFIX}{text}\n"))
}

fn millis(time: Timestamp) -> i64 {
    time.as_unix().saturating_mul(1000)
}

fn commit(head: &RunHead<'_>, address: &str) -> ActionCommit {
    let name = visible(&head.commit.author);
    let person = ActionPerson {
        username: name.clone(),
        name,
    };
    let id = &head.commit.id;
    ActionCommit {
        author: person.clone(),
        committer: person,
        message: visible(&head.commit.subject),
        timestamp: head
            .commit
            .date
            .map_or(String::new(), |date| date.to_string()),
        url: match address {
            "" => String::new(),
            address => format!("{address}/commit/{id}"),
        },
        id: id.clone(),
    }
}

fn benches(run: &RunRecord, better: Better) -> Vec<ActionBench> {
    let base = short(&run.commits.base.id);
    let benchmarks = run.benchmarks.iter();
    let benches = benchmarks.flat_map(|benchmark| {
        let metrics = known_metrics(benchmark).filter(move |(metric, _)| metric.better == better);
        metrics.map(|(metric, change)| bench(benchmark, metric, change, &base))
    });
    benches.collect()
}

fn bench(
    benchmark: &RecordedBenchmark,
    metric: Metric,
    change: &RecordedChange,
    base: &str,
) -> ActionBench {
    let key = visible(&benchmark.key.to_string());
    let ratio = change.sampled.map(|sampled| Ratio::from_ln(sampled.ln));
    ActionBench {
        // The names of time and bytes are those of a report in the action's format.
        name: match metric {
            time if time == Metric::TIME => key,
            bytes if bytes == Metric::BYTES => format!("{key} (allocated)"),
            metric => format!("{key} ({})", visible(metric.name)),
        },
        unit: match metric {
            time if time == Metric::TIME => "ns/iter".to_owned(),
            metric => format!("{} {}", symbol(metric.unit), metric.group.each())
                .trim_start()
                .to_owned(),
        },
        value: change.head,
        extra: ratio.map(|ratio| format!("{ratio} against {base}, measured in pairs")),
    }
}

fn symbol(unit: Unit) -> &'static str {
    match unit {
        Unit::Nanoseconds => "ns",
        Unit::Bytes => "B",
        Unit::Count => "",
        Unit::BytesPerSecond => "B/s",
        Unit::ElementsPerSecond => "elem/s",
        Unit::BitsPerSecond => "bit/s",
        Unit::RequestsPerSecond => "req/s",
        Unit::Share => "share",
    }
}

/// Where people see the repository, by the address of its remote `origin`.
fn web_address(repository: &Repository) -> Option<String> {
    let remote = repository.find_remote("origin").ok()?;
    as_web_address(remote.url().ok()?)
}

/// `https://host/path` of an address that git uses; never with a name or a password.
fn as_web_address(url: &str) -> Option<String> {
    let url = url.strip_suffix(".git").unwrap_or(url);
    let schemes = ["https://", "ssh://", "git://"];
    let after = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    let (host, path) = match after {
        Some(rest) => rest.split_once('/')?,
        // As scp has it: user@host:path.
        None if url.contains('@') => url.split_once(':')?,
        None => return None,
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(':').next()?;
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./~".contains(c))
    };
    let is_whole = !host.is_empty() && !path.is_empty();
    (is_whole && is_plain(host) && is_plain(path)).then(|| format!("https://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_page_of_a_repository_and_no_secret() {
        let page = Some("https://example.com/owner/project".to_owned());
        for url in [
            "https://example.com/owner/project.git",
            "https://name:secret@example.com/owner/project",
            "ssh://git@example.com:22/owner/project.git",
            "git@example.com:owner/project.git",
        ] {
            assert_eq!(as_web_address(url), page, "{url}");
        }
        for url in [
            "../remote.git",
            "/srv/git/project",
            "C:\\project",
            "https://example.com",
        ] {
            assert_eq!(as_web_address(url), None, "{url}");
        }
    }
}
