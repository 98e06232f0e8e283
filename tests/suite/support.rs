//! Temporary git repositories, and the program run on them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature, Time};
use snapbox::cmd::{Command, cargo_bin};

/// A git repository in a temporary folder, with a cache of its own beside it.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    /// An empty repository on the branch `main`.
    pub(crate) fn new() -> Workspace {
        let workspace = Workspace::without_git();
        Repository::init_opts(
            workspace.root(),
            RepositoryInitOptions::new()
                .initial_head("main")
                .external_template(false),
        )
        .unwrap();
        workspace
    }

    /// An empty folder that is no repository.
    pub(crate) fn without_git() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("repository")).unwrap();
        Workspace { folder }
    }

    /// The repository's working folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// A folder beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, path: &str, content: &str) -> &Workspace {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Puts the files of `fixtures/crates/<name>` over those that are there, `.in` taken off.
    pub(crate) fn unpack(&self, name: &str) -> &Workspace {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/crates")
            .join(name);
        copy(&fixture, &self.root());
        self
    }

    /// Commits everything. Author and date are fixed, so that commit ids are too.
    pub(crate) fn commit(&self, subject: &str) -> &Workspace {
        let repository = Repository::open(self.root()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let author =
            Signature::new("Author", "author@example.com", &Time::new(1_767_258_000, 0)).unwrap();
        let parent = repository.head().ok().map(|head| head.peel_to_commit());
        let parent = parent.transpose().unwrap();
        repository
            .commit(
                Some("HEAD"),
                &author,
                &author,
                subject,
                &tree,
                parent.as_ref().into_iter().collect::<Vec<_>>().as_slice(),
            )
            .unwrap();
        self
    }

    /// The id of the commit that HEAD is at.
    pub(crate) fn tip(&self) -> String {
        let repository = Repository::open(self.root()).unwrap();
        let head = repository.head().unwrap().peel_to_commit().unwrap();
        head.id().to_string()
    }

    /// `cargo perfcheck <line>` in the repository, with a cache folder of its own in which nothing
    /// stays.
    pub(crate) fn perfcheck(&self, line: &str) -> Command {
        self.keeping(line).env("PERFCHECK_NO_CACHE", "1")
    }

    /// The same, with builds kept for the next run.
    pub(crate) fn keeping(&self, line: &str) -> Command {
        perfcheck(line)
            .current_dir(self.root())
            .env("XDG_CACHE_HOME", self.beside("cache"))
    }
}

/// Whether there is Valgrind for this test; says aloud where there is none. With `PERFCHECK_VALGRIND=required`
/// that is a failure.
pub(crate) fn has_valgrind(test: &str) -> bool {
    let found = std::process::Command::new("valgrind")
        .arg("--version")
        .output();
    if found.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let required = std::env::var("PERFCHECK_VALGRIND").is_ok_and(|value| value == "required");
    assert!(!required, "{test}: Valgrind is required and not installed");
    // Past the harness, which would swallow it: a skipped test must be seen.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("SKIPPED {test}: Valgrind is not installed\n").as_bytes(),
    );
    false
}

/// Whether programs can be linked with SQLite, as a library and statically; says aloud where they cannot. With
/// `PERFCHECK_SQLITE=required` that is a failure.
pub(crate) fn has_sqlite(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let links = |library: &str| {
        std::process::Command::new("cc")
            .args(["-shared", "-x", "c", "/dev/null", "-o"])
            .arg(folder.path().join("linked.so"))
            .arg(library)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if links("-lsqlite3") && links("-l:libsqlite3.a") {
        return true;
    }
    let required = std::env::var("PERFCHECK_SQLITE").is_ok_and(|value| value == "required");
    assert!(!required, "{test}: SQLite is required and not installed");
    // Past the harness, which would swallow it: a skipped test must be seen.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("SKIPPED {test}: SQLite's development files are not installed\n").as_bytes(),
    );
    false
}

/// What a test run, a build script, a git hook and GitHub Actions put into the environment.
pub(crate) fn leaking_variables() -> Vec<std::ffi::OsString> {
    let leaks = |name: &str| {
        name.starts_with("CARGO_") && !["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&name)
            || name.starts_with("GIT_")
            || name.starts_with("GITHUB_")
            || name.starts_with("PERFCHECK_")
    };
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(leaks))
        .collect()
}

/// Variables with which cargo compiles the crates of registries once for all tests: see `rustc-once.sh`.
pub(crate) fn compiled_once() -> [(&'static str, PathBuf); 2] {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let version = std::process::Command::new("rustc").arg("-vV").output();
        let mut hasher = DefaultHasher::new();
        version.unwrap().stdout.hash(&mut hasher);
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let name = format!("crates-{:016x}", hasher.finish());
        // What an earlier compiler made is no longer usable.
        for entry in std::fs::read_dir(parent).unwrap().flatten() {
            let other = entry.file_name().to_string_lossy().into_owned();
            if other.starts_with("crates-") && other != name {
                std::fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        let folder = parent.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    });
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/rustc-once.sh");
    [("RUSTC_WRAPPER", wrapper), ("ONCE_FOLDER", folder.clone())]
}

/// The program as cargo starts it, free of what this test run has in its environment.
pub(crate) fn perfcheck(line: &str) -> Command {
    let mut command = Command::new(cargo_bin!("cargo-perfcheck")).arg("perfcheck");
    for name in leaking_variables() {
        command = command.env_remove(name);
    }
    for (name, value) in compiled_once() {
        command = command.env(name, value);
    }
    command
        .args(line.split_whitespace())
        .env("NO_COLOR", "1")
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG")
}

/// Writes a script that can be run, and the folders above it.
pub(crate) fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Copies a fixture, `.in` taken off the names.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            let name = match name.strip_suffix(".in") {
                Some("gitignore") => ".gitignore",
                Some(plain) => plain,
                None => name,
            };
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Runs all checks of one run, even if some fail.
pub(crate) fn all(checks: &[(&str, fn())]) {
    let failed = checks
        .iter()
        .filter(|(_, check)| std::panic::catch_unwind(check).is_err());
    let failed: Vec<&str> = failed.map(|(name, _)| *name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// A test of several checks that share one long run. As tests of their own, all but one would wait for it
/// and keep others from running meanwhile.
macro_rules! one_run {
    ($(#[$attribute:meta])* $test:ident: $($check:ident),+ $(,)?) => {
        #[test]
        $(#[$attribute])*
        fn $test() {
            $crate::support::all(&[$((stringify!($check), $check as fn())),+]);
        }
    };
}
pub(crate) use one_run;
