//! The recipes for continuous integration, run as the scripts that they are. The real program compares
//! two commits of a fixture; only what reaches out of the machine (installing, GitHub) is a stand-in, which
//! records what it is asked.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use snapbox::cmd::cargo_bin;

use crate::faults;
use crate::support::{Workspace, executable, leaking_variables};

pub(crate) fn recipe(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A step of a workflow that runs something.
struct Step {
    /// As the workflow words them.
    env: Vec<(String, String)>,
    script: String,
}

/// The steps of one of our workflows. It reads the text after `run: |`, or the rest of a line `run: …`, with the
/// `env:` of the same step.
fn steps(workflow: &str) -> Vec<Step> {
    let (_, steps) = workflow.split_once("    steps:\n").expect("steps");
    let mut found = Vec::new();
    for step in steps.split("\n      - ") {
        let (head, Some((first, rest))) = (
            step,
            step.split_once("run:")
                .map(|(_, run)| run.split_once('\n').unwrap_or((run, ""))),
        ) else {
            continue;
        };
        let script = if first.trim() == "|" {
            let indented = rest
                .lines()
                .take_while(|line| line.trim().is_empty() || line.starts_with("          "));
            let lines = indented.map(|line| line.get(10..).unwrap_or_default());
            lines.collect::<Vec<_>>().join("\n")
        } else {
            first.trim().to_owned()
        };
        let env = head.split_once("        env:\n").map_or("", |(_, env)| env);
        let env = env
            .lines()
            .take_while(|line| line.starts_with("          "))
            .filter(|line| !line.trim().starts_with('#'))
            .map(|line| line.trim().split_once(": ").expect(line))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        found.push(Step { env, script });
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn workflows_pin_every_action_and_put_nothing_of_a_pull_request_into_a_shell() {
    for path in [
        "ci/github/perfcheck.yml",
        "ci/github/perfcheck-comment.yml",
        "ci/github/perfcheck-history.yml",
        "ci/github/release.yml",
    ] {
        let workflow = recipe(path);
        for line in workflow.lines().filter(|line| line.contains("uses:")) {
            let (_, pin) = line.split_once('@').expect(line);
            let commit = pin.split(' ').next().unwrap();
            assert!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{path}: {line}"
            );
        }
        for Step { script, .. } in steps(&workflow) {
            assert!(!script.contains("${{"), "{path}: {script}");
        }
        assert!(!workflow.contains("pull_request_target"), "{path}");
    }
    let measuring = recipe("ci/github/perfcheck.yml");
    assert!(measuring.contains("permissions:\n  contents: read\n\n"));
}

/// Installs by a link, and is cargo for the rest.
const CARGO: &str = r#"#!/bin/sh
echo "$@" >> "$RECORD/cargo"
if [ "$1" = install ]; then
    exec ln -sf "$PROGRAM" "$RECORD/installed/cargo-perfcheck"
fi
PATH="$RECORD/installed:$REAL_PATH" exec cargo "$@"
"#;

/// Notes what is compiled. (Cargo's own questions compile `___`.)
const COMPILER: &str = r#"#!/bin/sh
previous=
for word in "$@"; do
    if [ "$previous" = --crate-name ] && [ "$word" != ___ ]; then
        echo "$word" >> "$RECORD/compiled"
    fi
    previous=$word
done
exec "$@"
"#;

/// Hands out the artefact, answers from files with the filter that it is given, and keeps what it is sent.
const GH: &str = r#"#!/bin/bash
method=GET filter=. fields=()
for word in "$@"; do
    case "$before" in
        --method) method=$word ;;
        --jq) filter=$word ;;
        --dir) folder=$word ;;
        -F) body=${word#body=@} ;;
        -f) fields+=("$word") ;;
    esac
    case "$word" in repos/*) place=$word ;; esac
    before=$word
done
[ -n "$GH_TOKEN" ] || exit 4
case "$1 $method $place" in
    "run GET "*) exec cp -R "$RECORD/artefact" "$folder" ;;
    "api GET repos/owner/project/pulls")
        printf '%s\n' "${fields[@]}" > "$RECORD/asked"
        exec jq -r "$filter" "$RECORD/pulls" ;;
    "api GET repos/owner/project/issues/7/comments") exec jq -r "$filter" "$RECORD/comments" ;;
    "api POST "* | "api PATCH "*)
        echo "$method $place" >> "$RECORD/sent"
        exec cp "$body" "$RECORD/body" ;;
esac
echo "not expected: $*" >&2
exit 1
"#;

/// Downloads what is there for the address, and notes what it is asked.
const CURL: &str = r#"#!/bin/sh
echo "$@" >> "$RECORD/downloaded"
while [ "$1" != -o ]; do shift; done
exec cp "$RECORD/archive" "$2"
"#;

/// Unpacks the folder that the archive names.
const UNZIP: &str = r#"#!/bin/sh
[ "$3" = ".perfcheck-history/*" ] && exec cp -R "$(cat "$2")" .perfcheck-history
"#;

/// What a contributor may call a branch.
const HOSTILE: &str = "a;touch${IFS}pwned;`touch${IFS}pwned`$(touch${IFS}pwned)&|'x";

/// A machine with a repository of two commits, of which the second is slower, and the stand-ins.
struct Machine {
    workspace: Workspace,
}

impl Machine {
    fn new() -> Machine {
        let script = |nanos| format!("ns\t{nanos}\nbench\tsorting\nbench\tparsing\n");
        let machine = Machine {
            workspace: faults::workspace(&script(1_000), &script(2_000)),
        };
        for folder in ["record/installed", "stand-ins", "job"] {
            std::fs::create_dir_all(machine.at(folder)).unwrap();
        }
        for (name, text) in [
            ("cargo", CARGO),
            ("gh", GH),
            ("curl", CURL),
            ("unzip", UNZIP),
            ("compiler", COMPILER),
        ] {
            executable(&machine.at("stand-ins").join(name), text);
        }
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.workspace.beside(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).unwrap();
    }

    /// What was compiled since the last call, one crate per line.
    fn compiled(&self) -> String {
        let compiled = self.read("record/compiled");
        let _ = std::fs::remove_file(self.at("record/compiled"));
        compiled
    }

    /// Asserts that the first of two runs of a recipe compiles both sides and the second nothing, though
    /// the second job is another one on another machine.
    fn compiles_once(&self, run: impl Fn(&[(String, String)]) -> Output) -> Output {
        let job = |number: &str| {
            let of_a_job = [
                ("BUILD_NUMBER", number),
                ("BUILD_TAG", number),
                ("HOSTNAME", number),
                ("GITHUB_RUN_ID", number),
                ("GITHUB_ENV", number),
                ("RUNNER_TRACKING_ID", number),
                ("CI_JOB_ID", number),
                ("CI_JOB_TOKEN", number),
                ("SSH_AUTH_SOCK", number),
            ];
            let of_a_job = of_a_job.iter();
            let env: Vec<_> = of_a_job
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect();
            run(&env)
        };
        let first = job("1");
        let compiled = self.compiled();
        let benches = compiled.lines().filter(|krate| *krate == "fake").count();
        assert_eq!(benches, 2, "{compiled} {first:?}");
        let second = job("2");
        assert_eq!(self.compiled(), "", "{second:?}");
        assert_eq!(second.status.code(), first.status.code(), "{second:?}");
        first
    }

    fn id(&self, revision: &str) -> String {
        let repository = git2::Repository::open(self.workspace.root()).unwrap();
        repository
            .revparse_single(revision)
            .unwrap()
            .id()
            .to_string()
    }

    /// A script as a runner starts it: from a file, in this folder.
    fn run(&self, shell: &[&str], script: &str, folder: &Path, env: &[(String, String)]) -> Output {
        let file = self.at("script");
        std::fs::write(&file, script).unwrap();
        let path = std::env::var("PATH").unwrap();
        let stand_ins = self.at("stand-ins");
        let mut command = Command::new(shell[0]);
        for name in leaking_variables() {
            command.env_remove(name);
        }
        command
            .args(&shell[1..])
            .arg(file)
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", stand_ins.display()))
            .env("REAL_PATH", &path)
            .env("RECORD", self.at("record"))
            .env("RUSTC_WRAPPER", stand_ins.join("compiler"))
            .env("PROGRAM", cargo_bin!("cargo-perfcheck"))
            .env("XDG_CACHE_HOME", self.at("cache"))
            .envs(env.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap()
    }

    /// The steps of a workflow one after the other, up to the first that fails; what that says, or the
    /// last one.
    fn workflow(&self, path: &str, folder: &Path) -> Output {
        self.job(path, folder, &[])
    }

    /// The same, in a job with these variables.
    fn job(&self, path: &str, folder: &Path, of_job: &[(String, String)]) -> Output {
        let mut last = None;
        for step in steps(&recipe(path)) {
            let mut env: Vec<(String, String)> = step
                .env
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value)))
                .collect();
            env.extend(of_job.iter().cloned());
            env.push(("GITHUB_ACTIONS".to_owned(), "true".to_owned()));
            let summary = self.at("record/summary").display().to_string();
            env.push(("GITHUB_STEP_SUMMARY".to_owned(), summary));
            let output = self.run(&["bash", "-e"], &step.script, folder, &env);
            let failed = !output.status.success();
            last = Some(output);
            if failed {
                break;
            }
        }
        last.unwrap()
    }

    /// What GitHub puts for an expression.
    fn value(&self, expression: &str) -> String {
        match expression {
            "${{ github.token }}" => "token".to_owned(),
            "${{ github.repository }}" => "owner/project".to_owned(),
            "${{ github.event.workflow_run.id }}" => "17".to_owned(),
            "${{ github.event.workflow_run.head_repository.owner.login }}" => {
                "contributor".to_owned()
            }
            "${{ github.event.workflow_run.head_branch }}" => HOSTILE.to_owned(),
            "${{ github.event.pull_request.base.sha }}" => self.id("HEAD~1"),
            // Of a branch that was just created.
            "${{ github.event.before }}" => "0".repeat(40),
            "${{ github.sha }}" => self.id("HEAD"),
            "${{ github.event.pull_request.head.sha }}"
            | "${{ github.event.workflow_run.head_sha }}" => self.id("HEAD"),
            other => panic!("{other}"),
        }
    }

    /// Runs the workflow of the main branch on a clone: what it measured is with the remote then, and in the trend.
    fn records_the_push(&self, original: &Path) {
        let git = |folder: &Path, words: &[&str]| {
            let output = Command::new("git").args(words).current_dir(folder).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{words:?} {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let remote = self.at("remote.git");
        let path = remote.to_str().unwrap();
        git(original, &["clone", "--quiet", "--bare", ".", path]);
        git(original, &["remote", "add", "origin", path]);
        let output = self.workflow("ci/github/perfcheck-history.yml", original);
        assert!(output.status.success(), "{output:?}");
        let kept = git(
            &remote,
            &["ls-tree", "-r", "--name-only", "refs/perfcheck/history"],
        );
        assert_eq!(kept.lines().count(), 1, "{kept}");
        let trend = std::fs::read_to_string(original.join("perfcheck/trend.html")).unwrap();
        assert!(trend.contains("sorting"), "{trend}");
        git(original, &["remote", "remove", "origin"]);
        std::fs::remove_file(original.join("perfcheck/trend.html")).unwrap();
    }

    /// The script of a job of GitLab in the repository, with the job's variables and these.
    fn gitlab(&self, job: &str, of_job: &[(String, String)]) -> Output {
        let folder = self.workspace.root();
        let project = folder.display().to_string();
        let mut env: Vec<(String, String)> = section(job, "variables")
            .map(|line| line.split_once(": ").expect(line))
            .map(|(name, value)| {
                let value = value.trim_matches('"').replace("$CI_PROJECT_DIR", &project);
                (name.to_owned(), value)
            })
            .collect();
        for (name, value) in [
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", self.id("HEAD~1")),
            ("CI_COMMIT_SHA", self.id("HEAD")),
            // Of a branch that was just created.
            ("CI_COMMIT_BEFORE_SHA", "0".repeat(40)),
            ("CI_API_V4_URL", "https://gitlab.example/api/v4".to_owned()),
            ("CI_PROJECT_ID", "17".to_owned()),
            ("CI_DEFAULT_BRANCH", "trunk".to_owned()),
        ] {
            env.push((name.to_owned(), value));
        }
        env.extend(of_job.iter().cloned());
        let script: Vec<&str> = section(job, "script")
            .map(|line| line.strip_prefix("- ").expect(line))
            .collect();
        let shell = ["bash", "-eo", "pipefail"];
        self.run(&shell, &script.join("\n"), &folder, &env)
    }

    /// Runs the job of the default branch on GitLab, and moves what it recorded to where its artifacts are.
    fn records_on_gitlab(&self) {
        let folder = self.workspace.root();
        let recorded = self.gitlab(&recipe("ci/gitlab/perfcheck-history.yml"), &[]);
        assert_eq!(recorded.status.code(), Some(0), "{recorded:?}");
        let trend = std::fs::read_to_string(folder.join("perfcheck/trend.html")).unwrap();
        assert!(trend.contains("sorting"), "{trend}");
        let history = folder.join(".perfcheck-history");
        assert_eq!(std::fs::read_dir(&history).unwrap().count(), 1);
        let artifacts = self.at("record/history");
        std::fs::rename(history, &artifacts).unwrap();
        self.write("record/archive", artifacts.to_str().unwrap());
    }

    /// The commenting workflow, which must not fail; what it sent, a line a request.
    fn comment(&self) -> String {
        let _ = std::fs::remove_file(self.at("record/sent"));
        let _ = std::fs::remove_dir_all(self.at("job/report"));
        let output = self.workflow("ci/github/perfcheck-comment.yml", &self.at("job"));
        assert!(output.status.success(), "{output:?}");
        self.read("record/sent")
    }
}

fn pulls(commit: &str) -> String {
    let pull = |number, sha: &str| serde_json::json!({"number": number, "head": {"sha": sha}});
    serde_json::json!([pull(6, "another"), pull(7, commit)]).to_string()
}

fn comments(login: &str) -> String {
    let comment = |id, login: &str, body: &str| serde_json::json!({"id": id, "user": {"login": login}, "body": body});
    let marked = "<!-- cargo-perfcheck -->\n# before";
    serde_json::json!([
        comment(98, "someone", "<!-- cargo-perfcheck -->\nnot ours"),
        comment(99, login, marked),
    ])
    .to_string()
}

/// One test for all, so that there is one comparison.
#[test]
fn the_steps_of_the_workflows_compare_two_commits_and_write_one_comment_that_is_updated() {
    let machine = Machine::new();
    let folder = machine.workspace.root();
    let output = machine.compiles_once(|job| machine.job("ci/github/perfcheck.yml", &folder, job));
    assert_eq!(output.status.code(), Some(100), "{output:?}");
    let asked = machine.read("record/cargo");
    let range = format!(
        "perfcheck {}...{}",
        machine.id("HEAD~1"),
        machine.id("HEAD")
    );
    assert!(
        asked.starts_with("install --locked cargo-perfcheck@"),
        "{asked}"
    );
    assert!(asked.contains(&range), "{asked}");
    assert!(machine.read("record/summary").contains("sorting"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("::error"), "{said}");

    if Command::new("jq").arg("--version").output().is_err() {
        let told = b"SKIPPED: jq is not installed, so the comment was not tested\n";
        // Past the capture of what tests print: it is to be seen.
        std::io::Write::write_all(&mut std::io::stderr(), told).unwrap();
        return;
    }
    machine.records_the_push(&folder);
    let artefact = machine.at("record/artefact");
    std::fs::rename(folder.join("perfcheck"), &artefact).unwrap();
    machine.write("record/pulls", &pulls(&machine.id("HEAD")));
    machine.write("record/comments", &comments("someone else"));
    assert_eq!(
        machine.comment(),
        "POST repos/owner/project/issues/7/comments\n"
    );
    let body = machine.read("record/body");
    assert!(body.starts_with("<!-- cargo-perfcheck -->\n"), "{body}");
    assert!(
        body.contains("sorting") && body.contains("slower"),
        "{body}"
    );
    let asked = machine.read("record/asked");
    assert_eq!(asked, format!("state=open\nhead=contributor:{HOSTILE}\n"));

    // There is already a comment of ours: it is updated.
    machine.write("record/comments", &comments("github-actions[bot]"));
    let updated = "PATCH repos/owner/project/issues/comments/99\n";
    assert_eq!(machine.comment(), updated);

    // An approval appears only where there was a comment before.
    machine.write("record/artefact/report.json", r#"{"vote": "approve"}"#);
    assert_eq!(machine.comment(), updated);
    machine.write("record/comments", "[]");
    assert_eq!(machine.comment(), "");

    // The artefact was made by a stranger.
    machine.write("record/artefact/report.json", "$(touch pwned)");
    let long = "`touch pwned` $(touch pwned) ü".repeat(10_000);
    machine.write("record/artefact/report.md", &long);
    assert_eq!(
        machine.comment(),
        "POST repos/owner/project/issues/7/comments\n"
    );
    let body = std::fs::read(machine.at("record/body")).unwrap();
    assert!(String::from_utf8_lossy(&body).chars().count() <= 65_536);

    // A commit that no open pull request has, and a run without a report.
    machine.write("record/pulls", &pulls("replaced meanwhile"));
    assert_eq!(machine.comment(), "");
    machine.write("record/pulls", &pulls(&machine.id("HEAD")));
    std::fs::remove_dir_all(&artefact).unwrap();
    assert_eq!(machine.comment(), "");
    for place in ["job", "record", "repository"] {
        assert!(!machine.at(place).join("pwned").exists(), "{place}");
    }
}

/// The lines of the job's `key`, a list or a map, with its indentation taken off.
fn section<'a>(job: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
    let (_, rest) = job.split_once(&format!("\n  {key}:\n")).expect("a key");
    let lines = rest.lines().take_while(|line| line.starts_with("    "));
    lines.map(str::trim).filter(|line| !line.starts_with('#'))
}

#[test]
fn the_script_for_gitlab_leaves_the_reports_that_it_names_and_fails_as_it_says() {
    let machine = Machine::new();
    let folder = machine.workspace.root();
    let job = recipe("ci/gitlab/perfcheck.yml");
    // Only what is recorded tells how far it has come since the oldest commit.
    machine.write("repository/perfcheck.toml", "[[budget]]\ndrift = '50%'\n");
    let drift = || {
        let report = std::fs::read(folder.join("perfcheck/report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        let budget = &report["budgets"][0];
        assert_eq!(budget["metric"], "drift", "{report}");
        budget["status"].as_str().unwrap().to_owned()
    };
    // Between both, the default branch records: the second job has no cache of that, and downloads it.
    let is_recorded = std::cell::Cell::new(false);
    let output = machine.compiles_once(|of_job| {
        let output = machine.gitlab(&job, of_job);
        if !is_recorded.replace(true) {
            assert_eq!(drift(), "unknown");
            machine.records_on_gitlab();
        }
        output
    });
    assert_eq!(drift(), "over");
    let downloaded = machine.read("record/downloaded");
    let place = "/projects/17/jobs/artifacts/trunk/download?job=perfcheck-history";
    assert!(
        downloaded.ends_with(&format!("https://gitlab.example/api/v4{place}\n")),
        "{downloaded}"
    );
    assert!(job.contains("exit_codes: [100, 102, 103]"), "{job}");
    assert_eq!(output.status.code(), Some(100), "{output:?}");
    assert!(
        machine
            .read("record/cargo")
            .starts_with("install --locked --root ")
    );
    for line in job.lines().filter(|line| line.contains(": perfcheck/")) {
        let (_, file) = line.split_once(": ").unwrap();
        assert!(folder.join(file).is_file(), "{file}");
    }
}

#[test]
fn the_shell_recipe_deepens_a_shallow_clone_and_fails_as_the_comparison_does() {
    let machine = Machine::new();
    let root = machine.workspace.root();
    let repository = git2::Repository::open(&root).unwrap();
    let base = repository.revparse_single("HEAD~1").unwrap();
    let base = base.as_commit().unwrap();
    repository.branch("trunk", base, false).unwrap();
    let clone = machine.at("clone");
    let from = format!("file://{}", root.display());
    let cloned = Command::new("git")
        .args(["clone", "--quiet", "--depth", "1", &from])
        .arg(&clone)
        .status()
        .unwrap();
    assert!(cloned.success());
    let script = recipe("ci/shell/perfcheck.sh");
    let env = [("BASE".to_owned(), "origin/trunk".to_owned())];
    let program = machine.at("record/installed/cargo-perfcheck");
    std::os::unix::fs::symlink(cargo_bin!("cargo-perfcheck"), program).unwrap();
    let output = machine.compiles_once(|job| {
        let env = [&env, job].concat();
        machine.run(&["sh"], &script, &clone, &env)
    });
    assert_eq!(output.status.code(), Some(100), "{output:?}");
    let report = std::fs::read_to_string(clone.join("perfcheck/report.md")).unwrap();
    assert!(report.contains("sorting"), "{report}");

    // The commit before it was replaced, as a forced push does. Once with the remote, once with a folder.
    let script = recipe("ci/shell/perfcheck-history.sh");
    let mut env = vec![("BEFORE".to_owned(), "0".repeat(40))];
    let pushed = machine.run(&["sh"], &script, &clone, &env);
    assert_eq!(pushed.status.code(), Some(0), "{pushed:?}");
    assert!(repository.find_reference("refs/perfcheck/history").is_ok());
    let trend = std::fs::read_to_string(clone.join("perfcheck/trend.html")).unwrap();
    assert!(trend.contains("sorting"), "{trend}");
    env.push(("HISTORY".to_owned(), "runs".to_owned()));
    let kept = machine.run(&["sh"], &script, &clone, &env);
    assert_eq!(kept.status.code(), Some(0), "{kept:?}");
    assert_eq!(std::fs::read_dir(clone.join("runs")).unwrap().count(), 1);
}

/// Notes what it is asked; a release is there already.
const GH_WITH_A_RELEASE: &str = r#"#!/bin/sh
[ -n "$GH_TOKEN" ] || exit 4
echo "$@" >> "$RECORD"
[ "$2" != create ]
"#;

#[test]
fn a_release_attaches_archives_that_binstall_finds_with_checksums_completions_and_pages() {
    use std::os::unix::fs::PermissionsExt;

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        std::fs::copy(root.join(name), at(name)).unwrap();
    }
    std::fs::create_dir_all(at("target/release")).unwrap();
    for program in [
        cargo_bin!("cargo-perfcheck"),
        cargo_bin!("perfcheck-launcher"),
        cargo_bin!("perfcheck-load"),
    ] {
        let name = program.file_name().unwrap();
        std::fs::copy(program, at("target/release").join(name)).unwrap();
    }
    std::fs::create_dir(at("bin")).unwrap();
    std::fs::write(at("bin/gh"), GH_WITH_A_RELEASE).unwrap();
    std::fs::set_permissions(at("bin/gh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    let target = "x86_64-unknown-linux-gnu";
    let run = |script: &str| {
        let path = format!("{}:{}", at("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-eo", "pipefail", "-c", script])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("RECORD", at("record"))
            .env("GH_TOKEN", "token")
            .env("TAG", tag)
            .env("TARGET", target)
            .output()
            .unwrap();
        assert!(output.status.success(), "{script}\n{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let workflow = recipe("ci/github/release.yml");
    assert!(workflow.contains(target) && workflow.contains("aarch64-unknown-linux-gnu"));
    let [build, archive, attach] = steps(&workflow).try_into().ok().expect("three steps");
    // It is the same program, except for the profile.
    assert_eq!(build.script, "cargo build --locked --release");
    run(&archive.script);
    run(&attach.script);

    // What cargo-binstall makes of the manifest.
    let manifest: toml::Table = recipe("Cargo.toml").parse().unwrap();
    let names = &manifest["package"]["metadata"]["binstall"];
    let filled = |key: &str| {
        let text = names[key]
            .as_str()
            .unwrap()
            .replace("{ name }", "cargo-perfcheck");
        let text = text
            .replace("v{ version }", tag)
            .replace("{ target }", target);
        text.replace("{ bin }", "cargo-perfcheck")
            .replace("{ binary-ext }", "")
    };
    let url = filled("pkg-url");
    let file = url
        .strip_prefix(&format!("{{ repo }}/releases/download/{tag}/"))
        .unwrap();
    let listed = run(&format!(
        "sha256sum --check --quiet {file}.sha256; tar -tzf {file}"
    ));
    let inside = |end: &str| {
        let found = listed.lines().any(|line| line.ends_with(end));
        assert!(found, "{end}: {listed}");
    };
    inside(&filled("bin-dir"));
    for end in ["bash", "fish", "zsh"] {
        inside(&format!("/completions/cargo-perfcheck.{end}"));
    }
    inside("/man/cargo-perfcheck.1");
    inside("/LICENSE-MIT");
    let asked = std::fs::read_to_string(at("record")).unwrap();
    let upload = format!("release upload {tag} {file} {file}.sha256 --clobber");
    assert_eq!(asked.lines().last(), Some(&*upload));
}
