//! A history of a thousand commits, as a project has after some years: for the test of its page, and for
//! `cargo bench --bench page` and `history`.

use std::path::Path;

use git2::{Oid, Repository, Signature, Time};
use serde_json::{Value, json};

/// How many commits there are.
pub(crate) const COMMITS: usize = 1000;

/// A repository in `folder` with so many commits, and a file of runs beside it that `history import` reads: each commit is
/// compared with the one before it in so many benchmarks. Every hundredth commit is a release, and each benchmark has a
/// step of 3 % at a commit of its own. The same each time.
pub(crate) fn write(folder: &Path, benchmarks: usize) -> Result<(), Box<dyn std::error::Error>> {
    let repository = Repository::init(folder.join("repository"))?;
    let tree = repository.treebuilder(None)?.write()?;
    let tree = repository.find_tree(tree)?;
    let mut commits: Vec<Oid> = Vec::new();
    for at in 0..=COMMITS {
        let when = Time::new(1_700_000_000 + 3600 * i64::try_from(at)?, 0);
        let author = Signature::new("Author", "author@example.com", &when)?;
        let parent = commits.last().map(|id| repository.find_commit(*id));
        let parent = parent.transpose()?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let message = format!("Change number {at}");
        let id = repository.commit(Some("HEAD"), &author, &author, &message, &tree, &parents)?;
        if at % 100 == 0 {
            let tag = format!("v1.{}", at / 100);
            repository.tag_lightweight(&tag, repository.find_commit(id)?.as_object(), false)?;
        }
        commits.push(id);
    }
    let mut noise = Noise(1);
    let runs: Vec<String> = (1..=COMMITS)
        .map(|at| run(&commits, at, benchmarks, &mut noise).to_string())
        .collect();
    fs_err::write(folder.join("runs.jsonl"), runs.join("\n"))?;
    Ok(())
}

fn run(commits: &[Oid], at: usize, benchmarks: usize, noise: &mut Noise) -> Value {
    let commit = |at: usize| json!({ "id": commits[at].to_string() });
    let count = |of: usize| json!({ "base": of, "head": of });
    let measured = (0..benchmarks).map(|benchmark| {
        let step = if at == 20 + 19 * benchmark { 0.03 } else { 0.0 };
        json!({
            "package": "shop", "target": "prices", "id": format!("parse/{benchmark}"), "verdict": "unchanged",
            "metrics": {
                "time": {
                    "base": 1e6, "head": 1e6, "ln": step + 0.002 * noise.next(), "se": 0.001, "df": 19.0, "rounds": 20
                },
                "allocations": count(12), "bytes": count(4_096), "peak": count(1_024),
            },
        })
    });
    json!({
        "kind": "run", "version": 1, "perfcheck": "0.1.0",
        "commits": { "base": commit(at - 1), "head": commit(at) },
        "machine": { "cpu": "A processor", "cores": 2, "virtualised": null },
        "kernel": "6.1.0", "rustc": { "base": "rustc 1.89.0", "head": "rustc 1.89.0" },
        "host": "x86_64-unknown-linux-gnu", "profile": "bench", "threshold": 0.01, "confidence": 0.95,
        "benchmarks": measured.collect::<Vec<Value>>(),
    })
}

/// Between -1 and 1, always the same: the multiplier is Knuth's.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
    }
}
