//! What people do without this program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Outcome;
use super::watch::{Cost, measure};
use super::workspace::Workspace;

/// A third and two fifths of Criterion's usual 3 s and 5 s.
const SHORT: [&str; 4] = ["--warm-up-time", "1", "--measurement-time", "2"];

pub(super) struct ByHand<'a> {
    workspace: &'a Workspace,
    worktree: PathBuf,
    timing: &'static [&'static str],
}

impl<'a> ByHand<'a> {
    pub(super) fn new(workspace: &'a Workspace, short: bool) -> ByHand<'a> {
        ByHand {
            workspace,
            worktree: workspace.beside("worktree"),
            timing: if short { &SHORT } else { &[] },
        }
    }

    /// The base in a separate worktree, built from scratch.
    pub(super) fn bench_of_base(&self) -> Outcome<Cost> {
        eprintln!("cargo bench on base:");
        let mut git = self.workspace.git();
        git.args(["worktree", "add", "--quiet", "--detach"])
            .arg(&self.worktree)
            .arg("main");
        measure(&mut [git, self.cargo_bench(&self.worktree, "base")])
    }

    /// What is checked out now.
    pub(super) fn bench(&self, baseline: &str) -> Outcome<Cost> {
        eprintln!("cargo bench on {baseline}:");
        measure(&mut [self.cargo_bench(&self.workspace.root(), baseline)])
    }

    /// The build alone.
    pub(super) fn build(&self) -> Outcome<Cost> {
        let mut command = cargo(&self.workspace.root());
        command.arg("--no-run");
        measure(&mut [command])
    }

    /// Both baselines side by side; `None` if `critcmp` is not installed. Each side has its own target folder, so
    /// the results are exported first.
    pub(super) fn compare(&self, baseline: &str) -> Outcome<Option<Cost>> {
        if Command::new("critcmp").arg("--version").output().is_err() {
            return Ok(None);
        }
        let mut commands = Vec::new();
        let mut exported = Vec::new();
        for (folder, name) in [(&self.worktree, "base"), (&self.workspace.root(), baseline)] {
            let file = self.workspace.beside(&format!("{name}.json"));
            let mut export = Command::new("sh");
            export
                .args(["-c", "critcmp --target-dir target --export \"$1\" > \"$2\""])
                .args(["sh", name])
                .arg(&file)
                .current_dir(folder);
            commands.push(export);
            exported.push(file);
        }
        let mut compare = Command::new("critcmp");
        compare.args(exported);
        commands.push(compare);
        measure(&mut commands).map(Some)
    }

    fn cargo_bench(&self, folder: &Path, baseline: &str) -> Command {
        let mut command = cargo(folder);
        command
            .args(["--", "--noplot", "--save-baseline", baseline])
            .args(self.timing);
        command
    }
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["bench", "--quiet", "--workspace", "--offline", "--benches"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
