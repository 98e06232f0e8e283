//! A program that works for a given time, and revisions of it that work a little longer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MANIFEST: &str = "[package]\nname = \"work\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[[bin]]\nname = \"work\"\npath = \"main.rs\"\n";

/// Runs of a program to learn how long it takes.
const RUNS: usize = 15;

/// A repository with a tag for each planted change, the programs of all tags, and how fast they work.
pub(crate) struct Subject {
    pub(crate) repository: PathBuf,
    programs: PathBuf,
    /// How long a run without any work takes, in seconds.
    overhead: f64,
    turns_per_second: f64,
}

impl Subject {
    /// Builds it in a folder, with these changes in thousandths.
    pub(crate) fn new(folder: &Path, changes: &[u32]) -> Subject {
        let repository = folder.join("repository");
        std::fs::create_dir_all(&repository).expect("a folder");
        git(&repository, &["init", "--quiet"]);
        write(&repository, "Cargo.toml", MANIFEST);
        write(&repository, ".gitignore", "/target\n");
        let programs = folder.join("programs");
        std::fs::create_dir_all(&programs).expect("a folder");
        commit(&repository, &programs, "base", &source("base", 0));
        for change in changes {
            let tag = tag(*change);
            // The same work with another text is no identical program.
            commit(&repository, &programs, &tag, &source(&tag, *change));
        }
        let mut subject = Subject {
            repository,
            programs,
            overhead: 0.0,
            turns_per_second: 1.0,
        };
        subject.overhead = subject.typical(0);
        let turns = 20_000_000;
        subject.turns_per_second = turns as f64 / (subject.typical(turns) - subject.overhead);
        subject
    }

    /// The program at a tag.
    pub(crate) fn program(&self, tag: &str) -> PathBuf {
        self.programs.join(tag)
    }

    /// The argument with which a run takes about so long.
    pub(crate) fn turns(&self, length: Duration) -> u64 {
        let work = (length.as_secs_f64() - self.overhead).max(1e-4);
        (work * self.turns_per_second) as u64
    }

    /// The logarithm of the true ratio of the times: what is not work does not grow.
    pub(crate) fn truth(&self, length: Duration, change: u32) -> f64 {
        let work = self.turns(length) as f64 / self.turns_per_second;
        let longer = work * (1.0 + f64::from(change) / 1000.0);
        ((self.overhead + longer) / (self.overhead + work)).ln()
    }

    fn typical(&self, turns: u64) -> f64 {
        let program = self.program("base");
        let mut times: Vec<f64> = (0..RUNS).map(|_| once(&program, turns)).collect();
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    }
}

/// One run of a program, in seconds.
pub(crate) fn once(program: &Path, turns: u64) -> f64 {
    let start = Instant::now();
    let status = Command::new(program)
        .arg(turns.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("the program").success());
    start.elapsed().as_secs_f64()
}

/// What the revision is called that works so many thousandths longer.
pub(crate) fn tag(change: u32) -> String {
    format!("longer-{change:03}")
}

fn source(note: &str, longer: u32) -> String {
    format!(
        "use std::hint::black_box;\nconst LONGER: u64 = {longer};\nconst NOTE: &str = \"{note:>12}\";\n\
         #[inline(never)]\nfn work(turns: u64) {{\n    let mut sum = 0_u64;\n    for turn in 0..turns {{\n        \
         sum = black_box(sum.wrapping_mul(31).wrapping_add(turn));\n    }}\n    black_box(sum);\n}}\n\
         fn main() {{\n    let turns: u64 = std::env::args().nth(1).unwrap().parse().unwrap();\n    \
         black_box(NOTE);\n    work(turns + turns * black_box(LONGER) / 1000);\n}}\n"
    )
}

fn commit(repository: &Path, programs: &Path, tag: &str, source: &str) {
    write(repository, "main.rs", source);
    let target = programs.join("target");
    run(Command::new("cargo")
        .args(["build", "--release", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(repository));
    std::fs::copy(target.join("release/work"), programs.join(tag)).expect("a copy");
    git(repository, &["add", "--all"]);
    let author = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
    let words = ["commit", "--quiet", "-m", tag];
    git(repository, &[&author[..], &words].concat());
    git(repository, &["tag", tag]);
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file");
}

fn git(repository: &Path, words: &[&str]) {
    run(Command::new("git").args(words).current_dir(repository));
}

/// Runs a tool to its end; what it printed.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stderr(Stdio::inherit()).output().expect("a tool");
    assert!(output.status.success(), "{command:?}");
    output.stdout
}
