//! The workspace that is measured: four packages of five benchmarks, and five branches.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;

const PACKAGES: usize = 4;

const BENCHES: [&str; 5] = ["sum", "sort", "search", "encode", "parse"];

const LIB: &str = r#"//! Small routines of everyday kinds.

pub fn sum(n: u64) -> u64 {
    (0..n).fold(SEED, |acc, x| acc.wrapping_mul(31).wrapping_add(x))
}

pub fn sort(n: u64) -> Vec<u64> {
    let mut values: Vec<u64> = (0..n).map(|x| x.wrapping_mul(2_654_435_761) % 10_007).collect();
    values.sort_unstable();
    values
}

pub fn search(n: u64) -> usize {
    let values = sort(n);
    (0..n).filter(|x| values.binary_search(x).is_ok()).count()
}

pub fn encode(n: u64) -> String {
    (0..n).map(|x| format!("{x:x}")).collect()
}

pub fn parse(n: u64) -> u64 {
    (0..n).filter_map(|x| x.to_string().parse::<u64>().ok()).sum()
}
"#;

pub(super) struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    /// `main`; `head`, a change of one package; `line`, one more line of it; `words`, where only
    /// documentation in the source differs from `main`; `readme`, one more commit of README.md alone.
    pub(super) fn create() -> Outcome<Workspace> {
        let workspace = Workspace {
            folder: tempfile::tempdir()?,
        };
        std::fs::create_dir(workspace.root())?;
        workspace.lay_out()?;
        workspace.run(&["init", "--quiet", "--initial-branch=main"])?;
        workspace.commit("main")?;
        workspace.run(&["switch", "--quiet", "--create", "words"])?;
        workspace.edit("//! Small routines", "//! Little routines")?;
        workspace.commit("words")?;
        workspace.run(&["switch", "--quiet", "--create", "readme"])?;
        workspace.write("README.md", "More words.\n")?;
        workspace.commit("readme")?;
        workspace.run(&["switch", "--quiet", "--create", "head", "main"])?;
        workspace.edit("(0..n).fold", "(0..n + n / 5).fold")?;
        workspace.commit("head")?;
        workspace.run(&["switch", "--quiet", "--create", "line"])?;
        workspace.edit("% 10_007", "% 10_009")?;
        workspace.commit("line")?;
        workspace.run(&["switch", "--quiet", "head"])?;
        Ok(workspace)
    }

    /// `main`, with one package of one bench target.
    pub(super) fn of_one(benches: &str, library: &str) -> Outcome<Workspace> {
        let workspace = Workspace {
            folder: tempfile::tempdir()?,
        };
        std::fs::create_dir(workspace.root())?;
        workspace.lay_out_root()?;
        workspace.lay_out_package(0, library, benches)?;
        workspace.resolve()?;
        workspace.run(&["init", "--quiet", "--initial-branch=main"])?;
        workspace.commit("main")?;
        Ok(workspace)
    }

    /// The same, with these dependencies in the versions that this repository's lock file has.
    pub(super) fn with_dependencies(
        benches: &str,
        library: &str,
        dependencies: &[&str],
    ) -> Outcome<Workspace> {
        let workspace = Workspace::of_one(benches, library)?;
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let lock = std::fs::read_to_string(own.join("Cargo.lock"))?;
        workspace.write("Cargo.lock", &lock)?;
        let own = std::fs::read_to_string(own.join("Cargo.toml"))?;
        let manifest = "crates/p0/Cargo.toml";
        let mut text = std::fs::read_to_string(workspace.root().join(manifest))?;
        text.push_str("\n[dependencies]\n");
        for name in dependencies {
            // With its own features, so that the lock file has all that they need.
            let line = own.lines().find(|line| {
                let rest = line.strip_prefix(name);
                rest.is_some_and(|rest| rest.starts_with(" ="))
            });
            let line = line.ok_or_else(|| format!("Cargo.toml has no dependency {name}"))?;
            text.push_str(&format!("{line}\n"));
        }
        workspace.write(manifest, &text)?;
        workspace.cargo(&["update", "--workspace", "--offline", "--quiet"])?;
        workspace.commit("dependencies")?;
        Ok(workspace)
    }

    /// How many crates its benchmarks are built of.
    pub(super) fn crates(&self) -> Outcome<usize> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["tree", "--offline", "--workspace", "--prefix", "none"])
            .args(["--format", "{p}"])
            .current_dir(self.root());
        let tree = String::from_utf8(cargo.output()?.stdout)?;
        let names = tree.lines().map(|line| line.trim_end_matches(" (*)"));
        let all: std::collections::BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        Ok(all.len())
    }

    /// A branch beside `main`, with another library.
    pub(super) fn branch(&self, name: &str, library: &str) -> Outcome<()> {
        self.run(&["switch", "--quiet", "--create", name, "main"])?;
        self.write("crates/p0/src/lib.rs", library)?;
        self.commit(name)
    }

    pub(super) fn switch(&self, branch: &str) -> Outcome<()> {
        self.run(&["switch", "--quiet", branch])
    }

    pub(super) fn root(&self) -> PathBuf {
        self.beside("repository")
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Git in this repository, whatever the user's settings are.
    pub(super) fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "Author")
                .env(format!("GIT_{role}_EMAIL"), "author@example.com");
        }
        git
    }

    fn lay_out(&self) -> Outcome<()> {
        self.lay_out_root()?;
        for package in 0..PACKAGES {
            let library = format!("{LIB}\nconst SEED: u64 = {package};\n");
            self.lay_out_package(package, &library, &benches(package))?;
        }
        self.resolve()
    }

    fn lay_out_root(&self) -> Outcome<()> {
        let demo = demo();
        let manifest = std::fs::read_to_string(demo.join("Cargo.toml.in"))?;
        // With a Criterion that is not optimised, as the demo has it, `cargo bench` would compute for longer
        // than it measures.
        let (manifest, _) = manifest.split_once("\n# Nothing here").ok_or("profiles")?;
        self.write("Cargo.toml", manifest)?;
        self.write(".gitignore", "/target\n")?;
        self.write("README.md", "Words.\n")
    }

    fn lay_out_package(&self, package: usize, library: &str, benches: &str) -> Outcome<()> {
        let folder = format!("crates/p{package}");
        let manifest = std::fs::read_to_string(demo().join("crates/codec/Cargo.toml.in"))?;
        let manifest = manifest
            .replace(
                "name = \"codec\"\nversion",
                &format!("name = \"p{package}\"\nversion"),
            )
            .replace("name = \"codec\"\nharness", "name = \"speed\"\nharness");
        self.write(&format!("{folder}/Cargo.toml"), &manifest)?;
        self.write(&format!("{folder}/src/lib.rs"), library)?;
        self.write(&format!("{folder}/benches/speed.rs"), benches)
    }

    fn resolve(&self) -> Outcome<()> {
        // The versions that the demo has, which are on every machine that builds this repository.
        let lock = std::fs::read_to_string(demo().join("Cargo.lock.in"))?;
        self.write("Cargo.lock", &lock)?;
        // Leaves out what only the demo needs. What is missing on this machine is fetched now and not
        // while something is measured.
        self.cargo(&["update", "--workspace", "--offline", "--quiet"])?;
        self.cargo(&["fetch", "--locked", "--quiet", "--target", &host()?])
    }

    fn cargo(&self, words: &[&str]) -> Outcome<()> {
        let mut cargo = Command::new("cargo");
        let done = cargo.args(words).current_dir(self.root()).output()?;
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into());
        }
        Ok(())
    }

    /// Changes the library of the first package.
    fn edit(&self, from: &str, to: &str) -> Outcome<()> {
        let path = "crates/p0/src/lib.rs";
        let text = std::fs::read_to_string(self.root().join(path))?;
        self.write(path, &text.replacen(from, to, 1))
    }

    fn write(&self, path: &str, text: &str) -> Outcome<()> {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().ok_or("a folder")?)?;
        Ok(std::fs::write(path, text)?)
    }

    fn commit(&self, subject: &str) -> Outcome<()> {
        self.run(&["add", "."])?;
        self.run(&["commit", "--quiet", "--message", subject])
    }

    fn run(&self, words: &[&str]) -> Outcome<()> {
        if !self.git().args(words).status()?.success() {
            return Err(format!("git {} failed", words.join(" ")).into());
        }
        Ok(())
    }
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/base")
}

/// The platform that this is compiled on and for.
fn host() -> Outcome<String> {
    let said = Command::new("rustc").arg("-vV").output()?.stdout;
    let said = String::from_utf8(said)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not name its host")?.to_owned())
}

fn benches(package: usize) -> String {
    let mut text = "use criterion::{Criterion, criterion_group, criterion_main};\n\n".to_owned();
    text.push_str("fn all(c: &mut Criterion) {\n");
    for name in BENCHES {
        text.push_str(&format!(
            "    c.bench_function(\"p{package} {name}\", |b| b.iter(|| p{package}::{name}(std::hint::black_box(1_000))));\n"
        ));
    }
    text.push_str("}\n\ncriterion_group!(benches, all);\ncriterion_main!(benches);\n");
    text
}
