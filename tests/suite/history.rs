//! What is kept of runs, shared, and shown as a trend: in real repositories, fed with recorded reports.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{Workspace, perfcheck};

/// A repository with a commit for each change, of which the run from each commit to the next was kept.
struct Recorded {
    workspace: Workspace,
    commits: Vec<String>,
}

/// The report of a run from `base` to `head` in which `print/compact` takes `ratio` times as long.
fn report(base: &str, head: &str, ratio: f64) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports/v1.json");
    let text = fs_err::read_to_string(path).unwrap();
    let mut report: Value = serde_json::from_str(&text).unwrap();
    for (side, id) in [("base", base), ("head", head)] {
        report["range"][side]["commit"] = id.into();
        report["range"][side]["short_id"] = id[..7].into();
    }
    let benchmarks = report["benchmarks"].as_array_mut().unwrap();
    let one = benchmarks
        .iter_mut()
        .find(|benchmark| benchmark["id"] == "print/compact")
        .unwrap();
    let scale = |value: &mut Value| *value = (value.as_f64().unwrap() * ratio).into();
    for end in ["ratio", "lower", "upper"] {
        scale(&mut one["time"]["change"][end]);
    }
    for round in one["time"]["rounds"].as_array_mut().unwrap() {
        scale(&mut round["ratio"]);
    }
    report
}

fn git(folder: &Path, line: &str) -> Output {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("GIT_")) {
            command.env_remove(name);
        }
    }
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

fn run(folder: &Path, line: &str) -> Output {
    perfcheck(line).current_dir(folder).output().unwrap()
}

fn succeed(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert!(output.status.success(), "{line}: {}", told(&output));
    told(&output)
}

impl Recorded {
    /// The changes are ratios, one a commit.
    fn of(changes: &[f64]) -> Recorded {
        let workspace = Workspace::new();
        workspace
            .write("Cargo.toml", "[workspace]\n")
            .commit("Begin");
        let mut recorded = Recorded {
            commits: vec![workspace.tip()],
            workspace,
        };
        for (at, ratio) in changes.iter().enumerate() {
            recorded.workspace.write("source", &format!("{at}"));
            recorded.workspace.commit(&format!("Change number {at}"));
            recorded.commits.push(recorded.workspace.tip());
            recorded.keep(at, at + 1, *ratio);
        }
        recorded
    }

    fn root(&self) -> PathBuf {
        self.workspace.root()
    }

    fn keep(&self, base: usize, head: usize, ratio: f64) {
        let saved = self.workspace.beside(&format!("{base}-{head}.json"));
        let report = report(&self.commits[base], &self.commits[head], ratio);
        fs_err::write(&saved, report.to_string()).unwrap();
        let line = format!("history import {}", saved.display());
        assert!(succeed(&self.root(), &line).starts_with("1 file added to refs/perfcheck/history"));
    }

    /// A bare repository beside it, as the remote `origin`.
    fn remote(&self) -> PathBuf {
        let remote = self.workspace.beside("remote.git");
        git(&self.root(), "init --quiet --bare ../remote.git");
        git(&self.root(), "remote add origin ../remote.git");
        let pushed = git(&self.root(), "push --quiet origin HEAD:refs/heads/main");
        assert!(pushed.status.success(), "{}", told(&pushed));
        remote
    }

    /// Another clone of it.
    fn clone_of(&self, name: &str) -> PathBuf {
        let line = format!("clone --quiet --branch main remote.git {name}");
        let cloned = git(self.workspace.beside("").as_path(), &line);
        assert!(cloned.status.success(), "{}", told(&cloned));
        self.workspace.beside(name)
    }
}

/// Twelve commits, the seventh of which makes `print/compact` 6 % slower.
fn with_a_step() -> Recorded {
    let ratios = [
        1.0, 1.001, 0.999, 1.0, 1.0, 1.001, 1.06, 0.999, 1.0, 1.001, 1.0, 0.999,
    ];
    Recorded::of(&ratios)
}

#[test]
fn a_trend_finds_the_commit_that_was_slow_in_every_format() {
    let recorded = with_a_step();
    let root = recorded.root();
    let untouched = git(&root, "status --porcelain");
    assert_eq!(told(&untouched), "");
    assert!(!told(&git(&root, "show-ref --heads")).contains("perfcheck"));

    let list = succeed(&root, "history list");
    assert_eq!(list.lines().count(), 12, "{list}");
    assert!(succeed(&root, "history verify").contains("12 files can be used, 0 cannot"));

    let text = succeed(&root, "trend");
    let slow = &recorded.commits[7][..9];
    assert!(text.contains("▲ +6."), "{text}");
    assert!(
        text.contains(slow) && text.contains("Change number 6"),
        "{text}"
    );
    let one = succeed(&root, "trend print/compact --anchor HEAD~3");
    assert!(
        one.contains("relative to") && one.contains("Change number 6"),
        "{one}"
    );

    let json: Value = serde_json::from_str(&succeed(&root, "trend --format json")).unwrap();
    let benchmark = json["benchmarks"].as_array().unwrap().iter();
    let mut benchmark = benchmark.filter(|b| b["id"] == "print/compact");
    let changes = &benchmark.next().unwrap()["changes"];
    assert_eq!(changes.as_array().unwrap().len(), 1, "{changes}");
    assert_eq!(changes[0]["commit"], recorded.commits[7].as_str());
    let csv = succeed(&root, "trend --format csv");
    assert!(
        csv.lines()
            .any(|line| line.contains(&recorded.commits[7]) && !line.ends_with(','))
    );
    let page = recorded.workspace.beside("trend.html");
    succeed(&root, &format!("trend -o {}", page.display()));
    let page = fs_err::read_to_string(page).unwrap();
    assert!(
        page.contains("<polygon class=\"band\"") && page.contains(slow),
        "{page}"
    );
    assert!(!page.contains("http://") && !page.contains("https://"));

    let accepted = format!("history accept {slow} print/compact --why checked-input");
    succeed(&root, &accepted);
    assert!(succeed(&root, "trend").contains("accepted: checked-input"));
}

#[test]
fn what_is_exported_can_be_imported_into_a_folder_that_shows_the_same_trend() {
    let recorded = with_a_step();
    let root = recorded.root();
    let lines = recorded.workspace.beside("runs.jsonl");
    let exported = run(&root, "history export").stdout;
    fs_err::write(&lines, &exported).unwrap();
    let folder = recorded.workspace.beside("kept");
    let kept = format!("--history {}", folder.display());
    succeed(&root, &format!("history import {} {kept}", lines.display()));
    let again = succeed(&root, &format!("history import {} {kept}", lines.display()));
    assert!(again.starts_with("0 files added"), "{again}");
    assert_eq!(
        succeed(&root, &format!("trend {kept}")),
        succeed(&root, "trend")
    );
    let csv = succeed(&root, "history export --format csv");
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .ends_with("ln_ratio,std_error,freedom,rounds"),
        "{csv}"
    );
    assert!(
        csv.contains(",print/compact,unchanged,time,nanoseconds,"),
        "{csv}"
    );

    let broken = format!("00/{}.json", "0".repeat(38));
    fs_err::create_dir_all(folder.join("00")).unwrap();
    fs_err::write(folder.join(&broken), "{").unwrap();
    let trend = succeed(&root, &format!("trend {kept}"));
    assert!(trend.contains(&format!("skipped `{broken}`")), "{trend}");
    let verified = run(&root, &format!("history verify {kept}"));
    assert_eq!(verified.status.code(), Some(101), "{}", told(&verified));
    succeed(&root, &format!("history prune {kept}"));
    succeed(&root, &format!("history verify {kept}"));
}

#[test]
fn other_tools_get_the_head_sides_numbers_in_the_order_of_the_commits() {
    let recorded = Recorded::of(&[1.0, 1.06, 1.0]);
    // Recorded last, but not of the last commit.
    recorded.keep(0, 2, 1.06);
    let root = recorded.root();
    git(&root, "checkout --quiet -b topic");
    git(
        &root,
        "remote add origin https://name:secret@example.com/owner/project.git",
    );
    let heads = [1, 2, 2, 3].map(|at| recorded.commits[at].clone());

    let lines = String::from_utf8(run(&root, "history export --format bencher").stdout).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let hashes: Vec<&str> = lines.iter().map(|l| l["hash"].as_str().unwrap()).collect();
    assert_eq!(hashes, heads);
    for line in &lines {
        assert_eq!(line["branch"], "topic", "{line}");
        assert_eq!(line["settings"]["adapter"], "json", "{line}");
        let results: Value = serde_json::from_str(line["results"][0].as_str().unwrap()).unwrap();
        let one = &results["codec::codec print/compact"];
        assert!(one["latency"]["value"].as_f64().unwrap() > 0.0, "{results}");
        let ratio = ["lower_value", "value", "upper_value"].map(|at| &one["ratio-to-base"][at]);
        assert!(ratio.is_sorted_by_key(|at| at.as_f64()), "{results}");
        let counted = &results["codec::codec print/pretty"]["allocations"];
        assert_eq!(counted["value"], 1.0, "{results}");
    }

    let script =
        String::from_utf8(run(&root, "history export --format github-action-benchmark").stdout)
            .unwrap();
    assert!(
        !script.contains("secret") && !script.contains('@'),
        "{script}"
    );
    let data = script.strip_prefix("window.BENCHMARK_DATA = ").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["repoUrl"], "https://example.com/owner/project");
    let suites = data["entries"].as_object().unwrap();
    let runs = suites
        .iter()
        .find(|(name, _)| !name.ends_with("(more is better)"));
    let runs = runs.unwrap().1.as_array().unwrap();
    let ids: Vec<&str> = runs
        .iter()
        .map(|r| r["commit"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, heads);
    let newest = &runs[3];
    assert_eq!(newest["tool"], "customSmallerIsBetter", "{newest}");
    assert_eq!(newest["commit"]["message"], "Change number 2", "{newest}");
    let page = format!("https://example.com/owner/project/commit/{}", heads[3]);
    assert_eq!(newest["commit"]["url"], page.as_str(), "{newest}");
    let of = |name: &str| {
        let mut benches = newest["benches"].as_array().unwrap().iter();
        benches
            .find(|bench| bench["name"] == name)
            .cloned()
            .expect(name)
    };
    let time = of("codec::codec print/compact");
    assert_eq!(time["unit"], "ns/iter", "{time}");
    assert!(
        time["extra"]
            .as_str()
            .unwrap()
            .ends_with("measured in pairs")
    );
    assert_eq!(
        of("codec::codec print/pretty (allocated)")["unit"],
        "B per iteration"
    );

    git(&root, "reset --quiet --hard HEAD~1");
    let cut = run(&root, "history export --format bencher");
    assert_eq!(String::from_utf8_lossy(&cut.stdout).lines().count(), 3);
    assert!(told(&cut).contains("note: 1 measured commit is not in the history"));
}

#[test]
fn what_other_tools_measured_is_a_series_of_its_own() {
    let recorded = Recorded::of(&[1.0; 24]);
    let root = recorded.root();
    let before = run(&root, "trend").stdout;
    let level = |at: usize| if at < 16 { 1000 } else { 1100 };
    let runs = recorded.commits.iter().enumerate().map(|(at, id)| {
        json!({
            "commit": { "id": id, "timestamp": "2024-03-01T12:00:00+01:00", "message": "", "url": "" },
            "date": 1_709_287_200_000_u64 + at as u64, "tool": "cargo",
            "benches": [
                { "name": "print/compact", "value": level(at) + at % 5, "range": "± 9", "unit": "ns/iter" },
                // As slow all the time, but written in another unit: no step.
                match at < 12 {
                    true => json!({ "name": "grown", "value": 995 + at % 5, "unit": "ns" }),
                    false => json!({ "name": "grown", "value": 1.0 + (at % 5) as f64 / 1000.0, "unit": "us" }),
                },
            ],
        })
    });
    let mut runs: Vec<Value> = runs.collect();
    runs[3]["commit"]["id"] = "short".into();
    let data = json!({ "lastUpdate": 1, "repoUrl": "", "entries": { "Rust benchmarks": runs } });
    let file = recorded.workspace.beside("data.js");
    fs_err::write(&file, format!("window.BENCHMARK_DATA = {data:#}")).unwrap();
    let line = format!("history import {}", file.display());
    let imported = succeed(&root, &line);
    assert!(imported.starts_with("24 files added"), "{imported}");
    let skipped = "skipped run 4 of the suite `Rust benchmarks`";
    assert!(
        imported.contains(skipped) && imported.contains("no whole id"),
        "{imported}"
    );
    assert!(succeed(&root, &line).starts_with("0 files added"));
    assert!(succeed(&root, "history list").contains("24 imports of github-action-benchmark"));

    // The trend of runs is what it was, and the series stands below it.
    let trend = String::from_utf8(run(&root, "trend").stdout).unwrap();
    let own = trend
        .strip_prefix(std::str::from_utf8(&before).unwrap())
        .expect(&trend);
    assert!(
        own.starts_with("3 imported series over 24 commits"),
        "{own}"
    );
    assert!(
        own.contains("print/compact (github-action-benchmark, Rust benchmarks)"),
        "{own}"
    );
    assert!(
        own.contains("▲ +9.") && own.contains("Change number 15 (after"),
        "{own}"
    );
    let json: Value = serde_json::from_slice(&run(&root, "trend --format json").stdout).unwrap();
    let series = json["imported"].as_array().unwrap();
    let steps: Vec<&Value> = series
        .iter()
        .flat_map(|one| one["steps"].as_array().unwrap())
        .collect();
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!(steps[0]["commit"], recorded.commits[16].as_str());
    assert_eq!(steps[0]["after"], recorded.commits[15].as_str());
    let page = succeed(&root, "trend --format html");
    assert!(
        page.contains("Rust benchmarks") && page.contains("1.002 µs to 1.102 µs"),
        "{page}"
    );
    assert!(!succeed(&root, "trend parse/small").contains("imported"));

    fs_err::write(&file, "window.BENCHMARK_DATA = {").unwrap();
    let broken = told(&run(&root, &line));
    assert!(
        broken.contains("data.js` cannot be imported: EOF"),
        "{broken}"
    );
    assert!(broken.contains("hint: import a JSON report"), "{broken}");
}

#[test]
fn a_saved_baseline_of_criterion_is_the_measurement_of_the_commit_that_it_is_named_after() {
    let recorded = Recorded::of(&[1.0]);
    let root = recorded.root();
    git(&root, "tag v1.0 HEAD~1");
    let folder = recorded.workspace.beside("criterion");
    let save = |baseline: &str, estimates: &str| {
        let of = folder.join("print/compact").join(baseline);
        fs_err::create_dir_all(&of).unwrap();
        let benchmark = json!({
            "group_id": "print", "function_id": "compact", "value_str": null, "throughput": null,
            "full_id": "print/compact", "directory_name": "print/compact", "title": "print/compact",
        });
        fs_err::write(of.join("benchmark.json"), benchmark.to_string()).unwrap();
        fs_err::write(of.join("estimates.json"), estimates).unwrap();
    };
    let estimates = |median: f64| {
        let interval =
            json!({ "confidence_level": 0.95, "lower_bound": median, "upper_bound": median });
        let one = json!({ "confidence_interval": interval, "point_estimate": median, "standard_error": 1.0 });
        json!({ "mean": one, "median": one, "median_abs_dev": one, "slope": null, "std_dev": one })
            .to_string()
    };
    save("v1.0", &estimates(812.5));
    save("new", &estimates(900.0));
    save("change", "{}");
    save("main", &estimates(850.0));
    let line = format!("history import {}", folder.display());
    let imported = succeed(&root, &line);
    assert!(imported.starts_with("1 file added"), "{imported}");
    let skipped = "skipped baseline `main` of";
    assert!(
        imported.contains(skipped) && imported.contains("`--commit`"),
        "{imported}"
    );
    let named = format!("{line} --baseline main --commit HEAD --series runner");
    assert!(succeed(&root, &named).starts_with("1 file added"));
    let text = succeed(&root, "trend print");
    let shown = |name: &str, value: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.starts_with(name) && line.contains(value))
    };
    assert!(shown("print/compact (criterion)", "812.5 ns"), "{text}");
    assert!(
        shown("print/compact (criterion, runner)", "850.0 ns"),
        "{text}"
    );

    save("v1.0", "{ \"median\": 1 }");
    let broken = told(&run(&root, &line));
    assert!(
        broken.contains("v1.0/estimates.json") && broken.contains("invalid type"),
        "{broken}"
    );
    assert!(broken.contains("nothing in it can be used"), "{broken}");
    let without = told(&run(&root, &format!("{line} --commit HEAD")));
    assert!(without.contains("--baseline"), "{without}");
}

#[test]
fn two_machines_that_push_at_once_lose_nothing() {
    let recorded = Recorded::of(&[1.0, 1.0]);
    recorded.remote();
    let root = recorded.root();
    let absent = succeed(&root, "history fetch");
    assert!(absent.contains("`origin` has no history"), "{absent}");
    succeed(&root, "history push");
    let other = recorded.clone_of("other");
    assert!(succeed(&other, "trend").contains("holds no run"));
    succeed(&other, "history fetch");
    assert_eq!(succeed(&other, "history list").lines().count(), 2);

    recorded.keep(0, 2, 1.0);
    for (at, ratio) in [1.01, 1.02, 1.03].into_iter().enumerate() {
        let saved = recorded.workspace.beside(&format!("other-{at}.json"));
        let report = report(&recorded.commits[0], &recorded.commits[1], ratio);
        fs_err::write(&saved, report.to_string()).unwrap();
        succeed(&other, &format!("history import {}", saved.display()));
    }
    std::thread::scope(|scope| {
        for folder in [&root, &other] {
            scope.spawn(move || succeed(folder, "history push"));
        }
    });
    let third = recorded.clone_of("third");
    succeed(&third, "history fetch");
    assert_eq!(succeed(&third, "history list").lines().count(), 6);
}

#[test]
fn a_remote_that_refuses_the_reference_is_answered_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let recorded = Recorded::of(&[1.0]);
    let remote = recorded.remote();
    let root = recorded.root();
    git(&remote, "config transfer.hideRefs refs/perfcheck");
    let hidden = run(&root, "history push");
    assert_eq!(hidden.status.code(), Some(101));
    let hidden = told(&hidden);
    assert!(
        hidden.contains("`origin` refuses `refs/perfcheck/history`"),
        "{hidden}"
    );
    assert!(hidden.contains("--history DIR"), "{hidden}");
    git(&remote, "config --unset transfer.hideRefs");
    let hook = remote.join("hooks/pre-receive");
    fs_err::create_dir_all(hook.parent().unwrap()).unwrap();
    fs_err::write(&hook, "#!/bin/sh\necho only branches here >&2\nexit 1\n").unwrap();
    fs_err::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = told(&run(&root, "history push"));
    assert!(refused.contains("only branches here"), "{refused}");
    assert!(refused.contains("--history DIR"), "{refused}");
    fs_err::remove_file(hook).unwrap();
    succeed(&root, "history push");
}

#[test]
fn a_renaming_reaches_back_and_every_metric_has_a_trend() {
    let mut recorded = Recorded::of(&[1.0, 1.06]);
    let root = recorded.root();
    recorded
        .workspace
        .write("source", "renamed")
        .commit("Rename");
    recorded.commits.push(recorded.workspace.tip());
    let mut renamed = report(&recorded.commits[2], &recorded.commits[3], 1.0);
    for one in renamed["benchmarks"].as_array_mut().unwrap() {
        if one["id"] == "print/compact" {
            one["id"] = "print/dense".into();
        }
    }
    let saved = recorded.workspace.beside("renamed.json");
    fs_err::write(&saved, renamed.to_string()).unwrap();
    succeed(&root, &format!("history import {}", saved.display()));

    let levels = |line: &str| {
        let json: Value = serde_json::from_slice(&run(&root, line).stdout).unwrap();
        assert_eq!(json["benchmarks"].as_array().unwrap().len(), 1, "{json}");
        json["benchmarks"][0]["levels"].as_array().unwrap().clone()
    };
    let alone = levels("trend print/dense --format json");
    assert_eq!(alone.len(), 2, "{alone:?}");
    let joined = "trend print/dense --rename print/compact=print/dense --format json";
    assert_eq!(levels(joined).len(), 4);
    recorded
        .workspace
        .write("perfcheck.toml", "rename = ['print/compact=print/dense']\n");
    assert_eq!(levels("trend print/dense --format json").len(), 4);

    let counts = run(&root, "trend --metric allocations --format json").stdout;
    let counts: Value = serde_json::from_slice(&counts).unwrap();
    assert_eq!(counts["metric"], "allocations", "{counts}");
    let levels = counts["benchmarks"][0]["levels"].as_array().unwrap();
    assert_eq!(levels.len(), 4, "{counts}");
    assert!(
        levels.iter().all(|level| level["std_error"] == 0.0),
        "{counts}"
    );
    let unknown = told(&run(&root, "trend --metric colour"));
    assert!(
        unknown.contains("no run that is kept has the metric `colour`"),
        "{unknown}"
    );
    assert!(unknown.contains("hint: one of: allocations, "), "{unknown}");
}

#[test]
fn rewritten_and_missing_commits_lose_nothing_and_are_told() {
    let recorded = Recorded::of(&[1.0, 1.0, 1.0]);
    // Its benchmark `docs` is identical: a commit equals itself.
    recorded.keep(1, 1, 1.0);
    let root = recorded.root();
    git(&root, "branch before");
    git(&root, "reset --quiet --hard HEAD~1");
    let trend = succeed(&root, "trend");
    assert!(
        trend.contains("1 measured commit is not in the history of `HEAD`"),
        "{trend}"
    );
    let all = succeed(&root, "trend --branch before");
    assert!(all.contains("over 4 commits"), "{all}");
    let unknown = told(&run(&root, "trend --anchor nowhere"));
    assert!(
        unknown.contains("`nowhere` is not a commit of this repository"),
        "{unknown}"
    );
    let never = told(&run(&root, "trend --anchor before"));
    assert!(never.contains("no run that is shown measured"), "{never}");
}

#[test]
fn the_page_of_a_thousand_commits_opens_in_a_browser_and_is_searched() {
    let test = "the_page_of_a_thousand_commits_opens_in_a_browser_and_is_searched";
    let Some(browser) = crate::reports::browser::Browser::find(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    crate::thousand_commits::write(folder.path(), 2).unwrap();
    let root = folder.path().join("repository");
    let imported = succeed(&root, "history import ../runs.jsonl --history ../runs");
    assert!(imported.starts_with("1000 files added"), "{imported}");
    let page = succeed(&root, "trend --anchor v1.0 --format html --history ../runs");
    // What is shown again has no height before it is laid out (`content-visibility: auto`).
    let script = "const count = () => [...document.querySelectorAll('section.benchmark')] \
         .filter(s => getComputedStyle(s).display !== 'none').length; \
         const search = document.getElementById('search'); \
         const find = (words) => { search.value = words; search.dispatchEvent(new Event('input')); return count(); }; \
         const section = document.querySelector('section.benchmark'); \
         return { all: find(''), one: find('SHOP parse/1'), none: find('nothing'), again: find(''), \
             points: section.querySelector('polyline').points.length, \
             releases: section.querySelectorAll('path.release').length, \
             steps: [...document.querySelectorAll('tr.slower')].map(r => r.textContent) };";
    let seen = browser.ask_page(&page, script);
    let counts = ["all", "one", "none", "again"].map(|count| seen[count].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 0, 2], "{seen}");
    assert_eq!(
        seen["points"],
        crate::thousand_commits::COMMITS + 1,
        "{seen}"
    );
    assert_eq!(seen["releases"], 11, "{seen}");
    let steps = seen["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "{seen}");
    let named = |step: &Value| step.as_str().unwrap().contains("Change number ");
    assert!(steps.iter().all(named), "{seen}");
}
