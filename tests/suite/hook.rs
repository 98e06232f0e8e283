//! Real pushes to a local bare repository. The comparison is done by a stand-in that records what it
//! is asked and calls a commit slow when its tree has a file of that name: these tests check which
//! commits are compared, and whether the push goes through.

use std::path::PathBuf;
use std::process::{Command, Output};

use snapbox::cmd::cargo_bin;

use crate::support::compiled_once;

/// A clone with a bare remote beside it, and the hook installed.
struct Clone {
    folder: tempfile::TempDir,
}

const STAND_IN: &str = r#"#!/bin/sh
echo "$1 GIT_DIR=${GIT_DIR-unset} $3 $(git rev-parse --show-prefix)" >> "$RECORD"
case "$(cat "$BEHAVIOUR" 2>/dev/null)" in
    broken) echo "does not compile" >&2; exit 101 ;;
    slow) exec sleep 60 ;;
esac
if git cat-file -e "${1##*..}:slow" 2>/dev/null; then
    echo "sort/1000 is slower by 12 %"
    exit 100
fi
"#;

impl Clone {
    fn new() -> Clone {
        let clone = Clone {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(clone.path("home")).unwrap();
        std::fs::create_dir_all(clone.root()).unwrap();
        clone.git("init --quiet --bare --initial-branch=main ../remote.git");
        clone.git("init --quiet --initial-branch=main");
        clone.git("remote add origin ../remote.git");
        std::fs::write(clone.root().join("Cargo.toml"), "[workspace]\n").unwrap();
        clone.commit("first");
        clone.git("push --quiet origin main");
        clone.executable("stand-in", STAND_IN);
        clone.perfcheck("hook install --with ../stand-in -- --time 1s");
        clone
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.path("clone")
    }

    fn executable(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, line: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("GIT_")) {
                command.env_remove(name);
            }
        }
        command
            .args(line.split_whitespace())
            .current_dir(self.root())
            .envs(compiled_once())
            .env("HOME", self.path("home"))
            .env("CARGO_HOME", tools("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", tools("RUSTUP_HOME", ".rustup"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("RECORD", self.path("record"))
            .env("BEHAVIOUR", self.path("behaviour"));
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Author")
                .env(format!("GIT_{role}_EMAIL"), "author@example.com");
        }
        command
    }

    fn git(&self, line: &str) -> String {
        let output = self.command("git", line).output().unwrap();
        assert!(output.status.success(), "git {line}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn perfcheck(&self, line: &str) -> String {
        let program = cargo_bin!("cargo-perfcheck");
        let output = self.command(program, line).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn push(&self, line: &str) -> Output {
        self.command("git", &format!("push {line}"))
            .output()
            .unwrap()
    }

    /// Adds a file of this name and commits it.
    fn commit(&self, name: &str) -> String {
        std::fs::write(self.root().join(name), name).unwrap();
        self.git("add .");
        self.git(&format!("commit --quiet -m {name}"));
        self.id("HEAD")
    }

    fn id(&self, revision: &str) -> String {
        self.git(&format!("rev-parse {revision}"))
    }

    /// What the stand-in was asked to compare.
    fn compared(&self) -> Vec<String> {
        let record = std::fs::read_to_string(self.path("record")).unwrap_or_default();
        let range = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        record.lines().map(range).collect()
    }

    /// The folders in which the stand-in was asked, from the top of the checkout.
    fn places(&self) -> Vec<String> {
        let record = std::fs::read_to_string(self.path("record")).unwrap_or_default();
        let place = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
        record.lines().map(place).collect()
    }

    fn remote_id(&self, branch: &str) -> String {
        let line = format!("--git-dir ../remote.git rev-parse --verify --quiet {branch}");
        let output = self.command("git", &line).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Where cargo and rustup live for the user who runs the tests, whose home is hidden from git.
fn tools(variable: &str, folder: &str) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.unwrap_or_else(|| std::env::home_dir().unwrap_or_default().join(folder))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_existing_branch_is_compared_with_what_the_remote_has_and_passes_in_silence() {
    let clone = Clone::new();
    let base = clone.id("HEAD");
    clone.commit("second");
    let head = clone.commit("third");
    let pushed = clone.push("--quiet origin main");
    assert!(pushed.status.success(), "{pushed:?}");
    assert_eq!(stderr(&pushed), "");
    assert_eq!(clone.compared(), [format!("{base}..{head}")]);
    let record = std::fs::read_to_string(clone.path("record")).unwrap();
    assert!(record.contains("GIT_DIR=unset --time"), "{record}");
}

#[test]
fn a_slowdown_stops_the_push_with_its_report_and_the_ways_past_it() {
    let clone = Clone::new();
    let before = clone.remote_id("main");
    clone.commit("slow");
    let pushed = clone.push("origin main");
    assert!(!pushed.status.success());
    for part in [
        "sort/1000 is slower by 12 %",
        "--no-verify",
        "cargo perfcheck ",
    ] {
        assert!(
            stderr(&pushed).contains(part),
            "{part}: {}",
            stderr(&pushed)
        );
    }
    assert_eq!(clone.remote_id("main"), before);

    assert!(clone.push("--no-verify origin main").status.success());
    clone.commit("more");
    let skipped = clone
        .command("git", "push origin main")
        .env("PERFCHECK_SKIP", "1")
        .output()
        .unwrap();
    assert!(skipped.status.success() && stderr(&skipped).contains("skipped"));
    assert_eq!(clone.compared().len(), 1);
}

#[test]
fn a_new_branch_is_compared_with_where_it_left_the_default_branch() {
    let clone = Clone::new();
    let base = clone.id("main");
    clone.git("switch --quiet --create feature");
    clone.commit("one");
    let head = clone.commit("two");
    // The default branch goes on meanwhile.
    clone.git("switch --quiet main");
    clone.commit("elsewhere");
    assert!(clone.push("--no-verify origin main").status.success());
    assert!(clone.push("origin feature").status.success());
    assert_eq!(clone.compared(), [format!("{base}..{head}")]);

    clone.git("switch --quiet --create hasty feature");
    clone.commit("slow");
    assert!(!clone.push("origin hasty").status.success());
    assert_eq!(clone.remote_id("hasty"), "");
}

#[test]
fn deletions_and_tags_are_not_compared_and_nor_is_a_branch_without_commits_of_its_own() {
    let clone = Clone::new();
    clone.git("branch same");
    clone.git("tag v1");
    assert!(clone.push("origin same v1").status.success());
    assert!(clone.push("origin --delete same").status.success());
    assert_eq!(clone.compared(), [""; 0]);
    assert_eq!(clone.remote_id("same"), "");
}

#[test]
fn a_push_with_force_is_compared_with_what_it_replaces() {
    let clone = Clone::new();
    clone.commit("second");
    assert!(clone.push("--no-verify origin main").status.success());
    let replaced = clone.id("HEAD");
    clone.git("reset --quiet --hard HEAD~1");
    let head = clone.commit("slow");
    let pushed = clone.push("--force origin main");
    assert!(!pushed.status.success());
    assert_eq!(clone.compared(), [format!("{replaced}..{head}")]);
    assert_eq!(clone.remote_id("main"), replaced);

    clone.git("rm --quiet slow");
    let mended = clone.commit("mended");
    assert!(clone.push("--force origin main").status.success());
    assert_eq!(clone.remote_id("main"), mended);
}

#[test]
fn a_linked_worktree_has_the_same_hook() {
    let clone = Clone::new();
    clone.git("worktree add --quiet -b side ../side");
    let side = clone.path("side");
    let git = |line: &str| {
        let mut command = clone.command("git", line);
        command.current_dir(&side).output().unwrap()
    };
    std::fs::write(side.join("slow"), "").unwrap();
    for line in ["add .", "commit --quiet -m slow"] {
        assert!(git(line).status.success());
    }
    let pushed = git("push origin side");
    assert!(!pushed.status.success(), "{}", stderr(&pushed));
    assert_eq!(clone.compared().len(), 1);
    for line in ["rm --quiet slow", "commit --quiet -m mended"] {
        assert!(git(line).status.success());
    }
    let pushed = git("push origin side");
    assert!(pushed.status.success(), "{}", stderr(&pushed));
    assert_eq!(clone.remote_id("side"), clone.id("side"));
    let status = clone
        .command(cargo_bin!("cargo-perfcheck"), "hook status")
        .current_dir(&side)
        .output()
        .unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(
        status.contains("checks performance before a push"),
        "{status}"
    );
}

/// Moves the workspace at the top into folders below it.
fn below_the_top(clone: &Clone, folders: &[&str]) {
    clone.perfcheck("hook uninstall");
    clone.git("rm --quiet Cargo.toml");
    for folder in folders {
        let folder = clone.root().join(folder);
        std::fs::create_dir_all(folder.join("crates/one/src")).unwrap();
        std::fs::write(folder.join("Cargo.toml"), "[workspace]\n").unwrap();
        let member = "[package]\nname = \"one\"\n";
        std::fs::write(folder.join("crates/one/Cargo.toml"), member).unwrap();
    }
    clone.commit("moved");
    assert!(clone.push("--no-verify origin main").status.success());
}

#[test]
fn a_workspace_in_a_folder_below_the_top_is_checked_there() {
    let clone = Clone::new();
    below_the_top(&clone, &["rust"]);
    // From within a member, and from the top, where the only workspace counts.
    for place in ["rust/crates/one", "."] {
        let installed = clone
            .command(cargo_bin!("cargo-perfcheck"), "hook install --with")
            .arg(clone.path("stand-in"))
            .current_dir(clone.root().join(place))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&installed.stdout);
        assert!(
            said.contains("in `rust` before a push"),
            "{said}{}",
            stderr(&installed)
        );
    }
    clone.commit("second");
    assert!(clone.push("origin main").status.success());
    assert_eq!(clone.places(), ["rust/"]);
    clone.commit("slow");
    let pushed = clone.push("origin main");
    assert!(!pushed.status.success());
    let said = stderr(&pushed);
    assert!(said.contains("--manifest-path rust/Cargo.toml"), "{said}");
    assert_eq!(clone.places(), ["rust/"; 2]);
}

#[test]
fn several_workspaces_are_all_checked_once_each_is_installed_for() {
    let clone = Clone::new();
    below_the_top(&clone, &["a", "b"]);
    let install = |place: &str| {
        clone
            .command(
                cargo_bin!("cargo-perfcheck"),
                "hook install --with ../../stand-in",
            )
            .current_dir(clone.root().join(place))
            .output()
            .unwrap()
    };
    let refused = install(".");
    assert_eq!(refused.status.code(), Some(101));
    let said = stderr(&refused);
    assert!(said.contains("`a/Cargo.toml`, `b/Cargo.toml`"), "{said}");
    assert!(
        said.contains("(cd a && cargo perfcheck hook install)"),
        "{said}"
    );
    assert!(install("a").status.success() && install("b").status.success());
    clone.commit("second");
    assert!(clone.push("origin main").status.success());
    assert_eq!(clone.places(), ["a/", "b/"]);

    // What one pushed commit lacks is not compared.
    clone.git("rm -r --quiet b");
    clone.commit("third");
    assert!(clone.push("origin main").status.success());
    assert_eq!(clone.places(), ["a/", "b/", "a/"]);
}

#[test]
fn a_hook_from_before_the_workspace_moved_still_finds_it() {
    let clone = Clone::new();
    below_the_top(&clone, &["rust"]);
    let hook = clone.root().join(".git/hooks/pre-push");
    let program = cargo_bin!("cargo-perfcheck").display().to_string();
    let with = clone.path("stand-in").display().to_string();
    let text = format!("#!/bin/sh\nexec {program} hook run \"$@\" --with {with}\n");
    clone.executable(hook.to_str().unwrap(), &text);
    clone.commit("slow");
    assert!(!clone.push("origin main").status.success());
    assert_eq!(clone.places(), ["rust/"]);
}

#[test]
fn a_submodule_has_a_hook_of_its_own() {
    let clone = Clone::new();
    clone.git("-c protocol.file.allow=always submodule --quiet add ../remote.git parts/inner");
    let inner = clone.root().join("parts/inner");
    let within = |program: &std::ffi::OsStr, line: &str| {
        let mut command = clone.command(program, line);
        command.current_dir(&inner).output().unwrap()
    };
    let program = cargo_bin!("cargo-perfcheck");
    let installed = within(program.as_os_str(), "hook install --with ../../../stand-in");
    assert!(installed.status.success(), "{}", stderr(&installed));
    assert!(
        clone
            .root()
            .join(".git/modules/parts/inner/hooks/pre-push")
            .exists()
    );
    std::fs::write(inner.join("slow"), "").unwrap();
    for line in ["add .", "commit --quiet -m slow"] {
        assert!(within("git".as_ref(), line).status.success());
    }
    let pushed = within("git".as_ref(), "push origin HEAD:main");
    assert!(!pushed.status.success(), "{}", stderr(&pushed));
    assert_eq!(clone.compared().len(), 1);
}

#[test]
fn a_hook_that_was_there_runs_first_with_the_same_refs_and_comes_back() {
    let clone = Clone::new();
    clone.perfcheck("hook uninstall");
    let theirs = "#!/bin/sh\ncat > ../seen\necho \"$1\" >> ../seen\n[ ! -e ../veto ]\n";
    clone.executable("clone/.git/hooks/pre-push", theirs);
    clone.perfcheck("hook install --with ../stand-in");
    clone.perfcheck("hook install --with ../stand-in");

    let head = clone.commit("second");
    assert!(clone.push("origin main").status.success());
    let seen = std::fs::read_to_string(clone.path("seen")).unwrap();
    assert!(seen.contains(&head) && seen.ends_with("origin\n"), "{seen}");
    assert_eq!(clone.compared().len(), 1);

    std::fs::write(clone.path("veto"), "").unwrap();
    clone.commit("third");
    assert!(!clone.push("origin main").status.success());
    assert_eq!(clone.compared().len(), 1, "their veto comes first");
    std::fs::remove_file(clone.path("veto")).unwrap();
    clone.commit("slow");
    assert!(!clone.push("origin main").status.success());
    assert_eq!(clone.compared().len(), 2);

    clone.perfcheck("hook uninstall");
    let hooks = clone.root().join(".git/hooks");
    assert_eq!(
        std::fs::read_to_string(hooks.join("pre-push")).unwrap(),
        theirs
    );
    assert!(!hooks.join("pre-push.before-perfcheck").exists());
}

#[test]
fn a_check_that_cannot_be_completed_says_so_and_does_not_hold_up_the_push() {
    let clone = Clone::new();
    std::fs::write(clone.path("behaviour"), "broken").unwrap();
    clone.commit("second");
    let pushed = clone.push("origin main");
    assert!(pushed.status.success());
    assert!(
        stderr(&pushed).contains("pushed unchecked"),
        "{}",
        stderr(&pushed)
    );
    assert!(stderr(&pushed).contains("does not compile"));

    std::fs::write(clone.path("behaviour"), "slow").unwrap();
    clone.perfcheck("hook install --with ../stand-in --limit 100ms");
    clone.commit("third");
    let pushed = clone.push("origin main");
    assert!(pushed.status.success());
    assert!(
        stderr(&pushed).contains("time limit"),
        "{}",
        stderr(&pushed)
    );
}

#[test]
fn the_hook_goes_where_core_hooks_path_says_unless_others_share_it() {
    let clone = Clone::new();
    clone.perfcheck("hook uninstall");
    clone.git("config core.hooksPath .githooks");
    clone.perfcheck("hook install --with ../stand-in");
    assert!(clone.root().join(".githooks/pre-push").exists());
    clone.commit("slow");
    assert!(!clone.push("origin main").status.success());

    clone.git("config --unset core.hooksPath");
    let shared = clone.path("shared-hooks");
    clone.git(&format!(
        "config --global core.hooksPath {}",
        shared.display()
    ));
    let refused = clone
        .command(cargo_bin!("cargo-perfcheck"), "hook install")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(101));
    assert!(
        stderr(&refused).contains("--shared"),
        "{}",
        stderr(&refused)
    );
    assert!(!shared.exists());
}

#[test]
fn without_the_program_the_push_goes_through_and_says_so() {
    let clone = Clone::new();
    let hook = clone.root().join(".git/hooks/pre-push");
    let program = cargo_bin!("cargo-perfcheck").display().to_string();
    let text = std::fs::read_to_string(&hook).unwrap();
    assert!(text.contains(&program));
    std::fs::write(&hook, text.replace(&program, "/gone/cargo-perfcheck")).unwrap();
    clone.commit("slow");
    let pushed = clone
        .command("git", "push origin main")
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(pushed.status.success());
    assert!(
        stderr(&pushed).contains("not installed"),
        "{}",
        stderr(&pushed)
    );
}

/// The settings of a hook that is to be quick: one benchmark, a few short rounds.
const QUICK: &str = "hook install --limit 20m -- --offline -p vault --filter ^stretch$ \
                     --threshold 20% --rounds 6 --time-per-benchmark 5s --measurement-time 20ms \
                     --sample-size 10 --no-allocations --no-profile";

const VAULT: &str = "crates/vault/src/lib.rs";

/// The sample repository instead of the stand-in's, and the real comparison. Its builds are kept beside
/// the clone, as a user's are in the cache.
fn really_comparing() -> Clone {
    let clone = Clone::new();
    clone.perfcheck("hook uninstall");
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/base");
    crate::support::copy(&fixture, &clone.root());
    clone.commit("sample");
    assert!(clone.push("origin main").status.success());
    clone
}

/// Makes the key's stretching take this many rounds, and commits it.
fn stretch(folder: &std::path::Path, clone: &Clone, rounds: &str) {
    let path = folder.join(VAULT);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("ROUNDS: u32 = ").unwrap();
    let (_, after) = rest.split_once(';').unwrap();
    std::fs::write(&path, format!("{before}ROUNDS: u32 = {rounds};{after}")).unwrap();
    let done = clone
        .command("git", "commit --quiet --all -m stretch")
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(done.success());
}

/// One test for all: each push that is really measured builds both of its sides.
#[test]
#[ignore = "builds and measures four times: `just field`"]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_slowdown_that_is_really_measured_stops_real_pushes_and_its_repair_goes_through() {
    let clone = really_comparing();
    let theirs = "#!/bin/sh\ncat >> ../seen\n";
    clone.executable("clone/.git/hooks/pre-push", theirs);
    clone.perfcheck(QUICK);

    // A new branch, three times as slow, beside a hook that was there before.
    clone.git("switch --quiet --create feature");
    stretch(&clone.root(), &clone, "6000");
    let stopped = clone.push("origin feature");
    assert!(!stopped.status.success(), "{}", stderr(&stopped));
    assert!(
        stderr(&stopped).contains("stretch") && stderr(&stopped).contains("slower"),
        "{}",
        stderr(&stopped)
    );
    assert_eq!(clone.remote_id("feature"), "");

    // Fixed: the same compiled code as the base again, on the same new branch.
    stretch(&clone.root(), &clone, "2000");
    let mended = clone.push("--quiet origin feature");
    assert!(mended.status.success(), "{}", stderr(&mended));
    assert_eq!(stderr(&mended), "");
    assert_eq!(clone.remote_id("feature"), clone.id("HEAD"));

    // An existing branch, by force, from a linked worktree.
    clone.git("worktree add --quiet -b side ../side feature~1");
    let side = clone.path("side");
    stretch(&side, &clone, "6001");
    let forced = clone
        .command("git", "push --force origin side:feature")
        .current_dir(&side)
        .output()
        .unwrap();
    assert!(!forced.status.success(), "{}", stderr(&forced));
    assert!(stderr(&forced).contains("slower"), "{}", stderr(&forced));
    assert_eq!(clone.remote_id("feature"), clone.id("feature"));

    // A deletion has nothing to measure.
    assert!(clone.push("origin --delete feature").status.success());
    assert_eq!(clone.remote_id("feature"), "");
    let seen = std::fs::read_to_string(clone.path("seen")).unwrap();
    assert_eq!(seen.lines().count(), 4, "their hook ran each time: {seen}");
}

#[test]
fn the_names_of_branches_never_become_commands() {
    let clone = Clone::new();
    let name = "a;touch${IFS}pwned;`touch${IFS}pwned`$(touch${IFS}pwned)&|'x";
    clone.git(&format!("switch --quiet --create {name}"));
    clone.commit("second");
    let pushed = clone.push(&format!("origin {name}"));
    assert!(pushed.status.success(), "{}", stderr(&pushed));
    clone.commit("slow");
    assert!(!clone.push(&format!("origin {name}")).status.success());
    assert_eq!(clone.compared().len(), 2);
    for folder in [clone.root(), clone.path(""), clone.root().join(".git")] {
        assert!(!folder.join("pwned").exists(), "{}", folder.display());
    }
}
