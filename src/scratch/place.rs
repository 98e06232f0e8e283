//! Where checkouts and builds may lie.
//!
//! Cargo and rustup look upwards from where they run for `.cargo/config.toml`, `rust-toolchain.toml` and
//! `Cargo.toml`. A tree below the user's repository would be built with the files of the working tree, both sides
//! alike, whatever the two revisions say. So trees lie where no such file is found. If the folder that the user
//! names for kept builds is not such a place, it gets one archive of them instead.

use std::fmt;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::ScratchError;

/// Where a run's trees lie, and where its builds are kept for the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlace {
    /// The folder of all runs: checkouts and builds lie below.
    pub trees: PathBuf,
    /// The folder that holds an archive of the kept builds; `None` where they stay as trees.
    pub store: Option<PathBuf>,
    /// Why the trees are not in the user's cache folder, as a sentence, where they are elsewhere.
    pub note: Option<String>,
}

impl RunPlace {
    /// The place for comparing revisions of `repository`; without one (the sample of the demo, which lies
    /// in the run's own folder) no folder above the trees may configure their builds.
    ///
    /// Trees lie in `--target-dir`, else in the user's cache folder, else in `/var/tmp`, else in the
    /// temporary folder: the first that is admissible and can be used.
    ///
    /// # Errors
    /// Where the folder that `--target-dir` names cannot be made, and where no place is left.
    pub fn choose(
        repository: Option<&Path>,
        target_dir: Option<&Path>,
    ) -> Result<RunPlace, ScratchError> {
        let repository = repository.map(real);
        let mut candidates = Candidates::of_user();
        if let Some(target_dir) = target_dir {
            candidates.named = Some(target_dir.join("perfcheck"));
        }
        candidates.choose(repository.as_deref())
    }
}

/// The folder that holds kept builds, as they are or in archives: `cargo-perfcheck` in the user's cache
/// folder, or, with `--target-dir`, `perfcheck` in that.
#[must_use]
pub fn default_parent(target_dir: Option<&Path>) -> PathBuf {
    match target_dir {
        Some(target_dir) => target_dir.join("perfcheck"),
        None => Candidates::of_user().preferred(),
    }
}

/// Every folder in which runs without `--target-dir` may have left something.
#[must_use]
pub fn all_parents() -> Vec<PathBuf> {
    Candidates::of_user().trees
}

/// Whether a folder is there and belongs to this user.
#[must_use]
pub fn is_ours(folder: &Path) -> bool {
    let meta = fs_err::symlink_metadata(folder);
    meta.is_ok_and(|meta| meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw())
}

/// The root of the repository that `manifest` lies in; its own folder where it lies in none.
#[must_use]
pub fn repository_of(manifest: &Path) -> PathBuf {
    let folder = real(manifest.parent().unwrap_or(manifest));
    let root = folder.ancestors().find(|a| a.join(".git").exists());
    root.unwrap_or(&folder).to_owned()
}

/// The folders to choose from.
#[derive(Debug, Clone)]
struct Candidates {
    /// `--target-dir`, or a cache folder that the environment names.
    named: Option<PathBuf>,
    /// In order of preference.
    trees: Vec<PathBuf>,
}

impl Candidates {
    fn of_user() -> Candidates {
        // The number keeps users apart.
        let own = format!("cargo-perfcheck-{}", rustix::process::getuid().as_raw());
        let cache = etcetera::choose_base_strategy()
            .ok()
            .map(|strategy| strategy.cache_dir().join("cargo-perfcheck"));
        let named_by_variable = std::env::var_os("XDG_CACHE_HOME")
            .is_some_and(|folder| Path::new(&folder).is_absolute());
        let shared = [PathBuf::from("/var/tmp"), std::env::temp_dir()];
        let mut trees: Vec<PathBuf> = cache.iter().cloned().collect();
        for folder in shared.map(|folder| folder.join(&own)) {
            if !trees.contains(&folder) {
                trees.push(folder);
            }
        }
        Candidates {
            named: cache.filter(|_| named_by_variable),
            trees,
        }
    }

    /// Without a home folder, as for some services, there is no cache folder.
    fn preferred(&self) -> PathBuf {
        self.trees.first().cloned().unwrap_or_default()
    }

    fn choose(&self, repository: Option<&Path>) -> Result<RunPlace, ScratchError> {
        let objection = |folder: &Path| objection(&real(folder), repository);
        let store = match &self.named {
            Some(named) if objection(named).is_none() => {
                return self.take_named(named);
            }
            named => named.clone(),
        };
        if let Some(store) = &store {
            make_parent(store).map_err(|source| ScratchError::Create {
                parent: store.clone(),
                source,
            })?;
        }
        let mut refused = Vec::new();
        for folder in &self.trees {
            let found = objection(folder).or_else(|| {
                let made = make_private(folder, self.is_shared(folder));
                made.err().map(Objection::Unusable)
            });
            let Some(found) = found else {
                return Ok(RunPlace {
                    trees: folder.clone(),
                    store,
                    note: refused.first().map(|(first, why): &(PathBuf, Objection)| {
                        format!(
                            "checkouts and builds lie in {}, not in {}: {why}",
                            folder.display(),
                            first.display()
                        )
                    }),
                });
            };
            refused.push((folder.clone(), found));
        }
        let reasons = refused
            .iter()
            .map(|(folder, why)| format!("{}: {why}", folder.display()));
        Err(ScratchError::NoPlace {
            reasons: reasons.collect::<Vec<_>>().join("\n"),
        })
    }

    fn take_named(&self, named: &Path) -> Result<RunPlace, ScratchError> {
        let place = RunPlace {
            trees: named.to_owned(),
            store: None,
            note: None,
        };
        match make_parent(named) {
            Ok(()) => Ok(place),
            Err(source) => Err(ScratchError::Create {
                parent: named.to_owned(),
                source,
            }),
        }
    }

    /// Whether others may write into the parent folder, so that its entries may be theirs.
    fn is_shared(&self, folder: &Path) -> bool {
        let above = folder.parent().and_then(|above| above.metadata().ok());
        above.is_some_and(|above| above.mode() & 0o022 != 0)
    }
}

/// What speaks against a folder.
#[derive(Debug)]
enum Objection {
    /// It lies in the user's repository.
    Inside(PathBuf),
    /// A file above it would configure the builds of both sides.
    Configured(PathBuf),
    /// It cannot be made or used.
    Unusable(io::Error),
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::Inside(root) => {
                write!(f, "that lies in the repository {}", root.display())
            }
            Objection::Configured(file) => {
                write!(f, "builds there would obey {}", file.display())
            }
            Objection::Unusable(error) => error.fmt(f),
        }
    }
}

fn objection(folder: &Path, repository: Option<&Path>) -> Option<Objection> {
    if let Some(root) = repository.filter(|root| folder.starts_with(root)) {
        return Some(Objection::Inside(root.to_owned()));
    }
    foreign_file(folder, repository).map(Objection::Configured)
}

/// The nearest file in or above `folder` that would configure a build there and is not also above
/// `repository`. Both paths are absolute and without links.
#[must_use]
pub fn foreign_file(folder: &Path, repository: Option<&Path>) -> Option<PathBuf> {
    let above_both =
        |above: &Path| repository.is_some_and(|root| root != above && root.starts_with(above));
    let foreign = folder.ancestors().filter(|above| !above_both(above));
    foreign.flat_map(configuring).next()
}

/// The files in `folder` that cargo or rustup obey when they run below it.
fn configuring(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let cargos = folder.join(".cargo");
    if !is_cargo_home(&cargos) {
        found.extend(["config", "config.toml"].map(|name| cargos.join(name)));
    }
    found.extend(["rust-toolchain", "rust-toolchain.toml"].map(|name| folder.join(name)));
    found.retain(|file| file.is_file());
    let manifest = folder.join("Cargo.toml");
    if claims_members(&manifest) {
        found.push(manifest);
    }
    found
}

/// Whether a manifest may say which workspace packages below it belong to. One that cannot be read as TOML
/// ends every build below it.
fn claims_members(manifest: &Path) -> bool {
    let Ok(text) = fs_err::read_to_string(manifest) else {
        return manifest.is_file();
    };
    let Ok(table) = text.parse::<toml::Table>() else {
        return true;
    };
    let points = |package: &toml::Value| package.get("workspace").is_some();
    table.contains_key("workspace") || table.get("package").is_some_and(points)
}

/// Whether `folder` is cargo's home, which every build of the user reads.
#[must_use]
pub fn is_cargo_home(folder: &Path) -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.is_some_and(|home| home == folder || real(&home) == real(folder))
}

/// `path` without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let there = path
        .ancestors()
        .find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there {
        Some((above, real)) => match path.strip_prefix(above) {
            Ok(rest) if rest.as_os_str().is_empty() => real,
            Ok(rest) => real.join(rest),
            Err(_) => real,
        },
        None => path.to_owned(),
    }
}

/// Makes the folder of all runs if it is missing; if others could have made it, it must be ours.
fn make_private(parent: &Path, shared: bool) -> io::Result<()> {
    make_parent(parent)?;
    let meta = fs_err::symlink_metadata(parent)?;
    let ours = meta.is_dir()
        && meta.uid() == rustix::process::geteuid().as_raw()
        && meta.mode() & 0o077 == 0;
    if shared && !ours {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is not a folder of yours alone",
        ));
    }
    // Only writing shows whether the folder is writable.
    tempfile::tempfile_in(parent).map(drop)
}

/// Makes the folder of all runs, private, and tells backup programs and git to ignore it
/// (<https://bford.info/cachedir/>).
pub(super) fn make_parent(parent: &Path) -> io::Result<()> {
    if let Some(above) = parent.parent() {
        fs_err::create_dir_all(above)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(parent) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    let tag = parent.join("CACHEDIR.TAG");
    if !tag.exists() {
        fs_err::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n")?;
        // With `--target-dir` this may be inside a checkout, and must not become part of what is
        // compared.
        fs_err::write(parent.join(".gitignore"), "*\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository, a cache folder beside it, and a second choice.
    struct Ground {
        temp: tempfile::TempDir,
    }

    impl Ground {
        fn new() -> Ground {
            let ground = Ground {
                temp: tempfile::tempdir().unwrap(),
            };
            for folder in ["home/work/project/.git", "home/cache", "second"] {
                fs_err::create_dir_all(ground.at(folder)).unwrap();
            }
            ground
        }

        fn at(&self, name: &str) -> PathBuf {
            real(self.temp.path()).join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs_err::create_dir_all(self.at(name).parent().unwrap()).unwrap();
            fs_err::write(self.at(name), text).unwrap();
        }

        fn choose(&self, named: Option<&str>) -> RunPlace {
            let candidates = Candidates {
                named: named.map(|name| self.at(name)),
                trees: ["home/cache/ours", "second/ours"]
                    .map(|n| self.at(n))
                    .into(),
            };
            let root = repository_of(&self.at("home/work/project/inner/Cargo.toml"));
            assert_eq!(root, self.at("home/work/project"));
            candidates.choose(Some(&root)).unwrap()
        }
    }

    #[test]
    fn trees_lie_in_the_cache_folder_and_the_note_is_empty() {
        let ground = Ground::new();
        // Above both folders: the user's own builds read it, too.
        ground.write("home/.cargo/config.toml", "");
        let place = ground.choose(None);
        assert_eq!(place.trees, ground.at("home/cache/ours"));
        assert_eq!((place.store, place.note), (None, None));
    }

    #[test]
    fn no_tree_lies_below_a_file_that_is_above_the_cache_folder_alone() {
        for (file, text) in [
            ("home/cache/.cargo/config.toml", ""),
            ("home/cache/.cargo/config", ""),
            ("home/cache/rust-toolchain.toml", ""),
            ("home/cache/rust-toolchain", "stable"),
            ("home/cache/Cargo.toml", "[workspace]"),
            ("home/cache/Cargo.toml", "package.workspace = \"x\""),
            ("home/cache/Cargo.toml", "no manifest"),
            ("home/cache/ours/.cargo/config.toml", ""),
        ] {
            let ground = Ground::new();
            ground.write(file, text);
            let place = ground.choose(None);
            assert_eq!(place.trees, ground.at("second/ours"), "{file}: {text}");
            let note = place.note.unwrap();
            assert!(note.contains(&*ground.at(file).to_string_lossy()), "{note}");
        }
        let ground = Ground::new();
        ground.write("home/cache/Cargo.toml", "[package]\nname = \"x\"");
        assert_eq!(ground.choose(None).trees, ground.at("home/cache/ours"));
    }

    #[test]
    fn a_named_folder_inside_the_repository_holds_an_archive_and_no_trees() {
        let ground = Ground::new();
        let place = ground.choose(Some("home/work/project/target/perfcheck"));
        assert_eq!(place.trees, ground.at("home/cache/ours"));
        let store = ground.at("home/work/project/target/perfcheck");
        assert_eq!(place.store, Some(store.clone()));
        assert!(store.join(".gitignore").is_file());
        let elsewhere = ground.choose(Some("second/named"));
        assert_eq!(elsewhere.trees, ground.at("second/named"));
        assert_eq!(elsewhere.store, None);
    }

    #[test]
    fn a_link_does_not_hide_that_a_folder_lies_in_the_repository() {
        let ground = Ground::new();
        let inside = ground.at("home/work/project/cache");
        fs_err::create_dir_all(&inside).unwrap();
        fs_err::remove_dir(ground.at("home/cache")).unwrap();
        fs_err::os::unix::fs::symlink(inside, ground.at("home/cache")).unwrap();
        assert_eq!(ground.choose(None).trees, ground.at("second/ours"));
    }

    #[test]
    fn a_folder_that_others_can_enter_is_not_used_where_others_could_have_made_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path, mode| {
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let ground = Ground::new();
        ground.write("home/cache/rust-toolchain", "stable");
        mode(&ground.at("second"), 0o1777);
        fs_err::create_dir(ground.at("second/ours")).unwrap();
        mode(&ground.at("second/ours"), 0o755);
        let candidates = Candidates {
            named: None,
            trees: ["home/cache/ours", "second/ours"]
                .map(|name| ground.at(name))
                .into(),
        };
        let error = candidates.choose(Some(&ground.at("home/work/project")));
        let error = error.unwrap_err();
        assert!(error.to_string().contains("yours alone"), "{error}");
        assert!(error.hint().unwrap().contains("XDG_CACHE_HOME"));
        mode(&ground.at("second/ours"), 0o700);
        assert_eq!(ground.choose(None).trees, ground.at("second/ours"));
    }
}
