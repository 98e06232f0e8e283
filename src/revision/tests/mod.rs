//! Real repositories, made by the git program.

mod carried;
mod hostile;
mod layout;
mod resolving;
mod untouched;
mod unusual;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use crate::plan::RangeSpec;
use crate::process::clean_env;
use crate::scratch::Scratch;

const MANIFEST: &str = "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

/// A folder for everything of one test: repositories and the run's folder.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Ground {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Ground { folder }
    }

    /// A repository with a manifest and two commits on `main`.
    fn repository(&self, name: &str) -> Work {
        let work = self.empty_repository(name);
        work.write("Cargo.toml", MANIFEST)
            .write("src/lib.rs", "// one\n");
        work.commit("one");
        work.write("src/lib.rs", "// two\n").commit("two");
        work
    }

    fn empty_repository(&self, name: &str) -> Work {
        let root = self.path(name);
        std::fs::create_dir_all(&root).expect("a folder");
        let work = Work { root };
        work.git(&["init", "--quiet", "--initial-branch=main"]);
        work
    }

    fn path(&self, name: &str) -> PathBuf {
        let root = std::fs::canonicalize(self.folder.path()).expect("it is there");
        root.join(name)
    }

    fn scratch(&self) -> Scratch {
        Scratch::create(&self.path("runs"), None).expect("a scratch folder")
    }
}

/// A checkout.
struct Work {
    root: PathBuf,
}

impl Work {
    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        let output = clean_env(&mut command)
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(&self.root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_COMMITTER_NAME", "A")])
            .envs([("GIT_AUTHOR_EMAIL", "a@b"), ("GIT_COMMITTER_EMAIL", "a@b")])
            .stdin(Stdio::null())
            .output()
            .expect("git");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn write(&self, path: &str, content: &str) -> &Work {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, content).expect("a file");
        self
    }

    fn remove(&self, path: &str) -> &Work {
        std::fs::remove_file(self.root.join(path)).expect("removed");
        self
    }

    fn link(&self, target: &str, path: &str) -> &Work {
        std::os::unix::fs::symlink(target, self.root.join(path)).expect("a link");
        self
    }

    fn commit(&self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
        self.id("HEAD")
    }

    fn id(&self, name: &str) -> String {
        self.git(&["rev-parse", name])
    }

    fn resolve(&self, range: &str) -> Result<Resolved, RevisionError> {
        let range = RangeSpec::parse((!range.is_empty()).then_some(range));
        resolve(&self.root.join("Cargo.toml"), &range)
    }

    /// The base and head commit of a range.
    fn ids(&self, range: &str) -> (String, String) {
        let resolved = self.resolve(range).expect("two revisions");
        (
            resolved.revisions.base.commit,
            resolved.revisions.head.commit,
        )
    }

    fn error(&self, range: &str) -> (String, String) {
        let error = self.resolve(range).expect_err("no two revisions");
        (error.to_string(), error.hint().unwrap_or_default())
    }

    fn check_out(&self, range: &str, scratch: &Scratch) -> Paired<Checkout> {
        let resolved = self.resolve(range).expect("two revisions");
        check_out(&resolved, scratch, &|_| {}).expect("two checkouts")
    }
}

/// What a checkout holds, without `.git`: a line a file, sorted.
fn listing(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    list(root, root, &mut lines);
    lines.sort();
    lines
}

fn list(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt as _;

    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .strip_prefix(root)
            .expect("below")
            .display()
            .to_string();
        let metadata = std::fs::symlink_metadata(&path).expect("it is there");
        if path.ends_with(".git") {
            continue;
        } else if metadata.is_symlink() {
            let target = std::fs::read_link(&path).expect("a target");
            lines.push(format!("{name} -> {}", target.display()));
        } else if metadata.is_dir() {
            list(root, &path, lines);
        } else {
            let content = std::fs::read_to_string(&path).expect("text");
            let executable = metadata.permissions().mode() & 0o100 != 0;
            let star = if executable { "*" } else { "" };
            lines.push(format!("{name}{star}: {content:?}"));
        }
    }
}
