//! Cargo's configuration files that apply to the user's own builds but are in no revision.
//!
//! Those in the folders above the repository apply to the user's builds, but the checkouts lie elsewhere; one
//! inside that git ignores is the user's own as well. So they are merged into one file in the run's folder, above
//! both checkouts: cargo finds it there by itself and gives it the same rank as for the user, below the
//! repository's own files and above those of `CARGO_HOME`. (As `--config` it would outrank even the repository's
//! files and the environment.) An ignored one gets the rank of one in the folder above the repository. A file that
//! git does not ignore is part of a revision or of none, and is left alone.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use toml::{Table, Value};

use crate::scratch::is_cargo_home;

use super::file::{Includes, PATHS, PROGRAMS, absolute, load, merge, visit};

/// The configuration around a user's repository.
#[derive(Debug, Clone)]
pub(in crate::build) struct Surroundings {
    /// Its root; absolute, without links.
    repository: PathBuf,
    /// The folder that cargo is run in there.
    folder: PathBuf,
}

/// What was carried over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::build) struct Carried {
    /// The files that were merged, the nearest first.
    pub(in crate::build) files: Vec<PathBuf>,
    /// What the report should say of them, as lower-case fragments.
    pub(in crate::build) notes: Vec<String>,
}

impl Surroundings {
    /// Of the repository at `repository`, whose manifest lies in `folder` (relative to it).
    pub(in crate::build) fn of(repository: &Path, folder: &Path) -> Surroundings {
        Surroundings {
            repository: repository.to_owned(),
            folder: repository.join(folder),
        }
    }

    /// Merges the configuration files and writes them into `run_folder`. Files above both the repository and the
    /// checkouts are left out: cargo finds them by itself.
    ///
    /// # Errors
    /// Where a file cannot be read or written. An invalid one is left out: cargo reads it for the user's own builds
    /// and reports it better.
    pub(in crate::build) fn carry_over(
        &self,
        run_folder: &Path,
        includes: Includes,
    ) -> io::Result<Carried> {
        let mut merged = Table::new();
        let mut carried = Carried::default();
        let ignored = self.ignored();
        for file in &ignored {
            let name = file.strip_prefix(&self.repository).unwrap_or(file);
            carried.notes.push(format!(
                "{}, which git ignores, applies to both sides, as one in the folder above the repository would",
                name.display()
            ));
        }
        let above = self
            .above()
            .filter(|(folder, _)| !run_folder.starts_with(folder));
        for file in ignored.into_iter().chain(above.map(|(_, file)| file)) {
            let Some(loaded) = load(&file, includes)? else {
                continue;
            };
            let mut table = loaded.table;
            // The builds have target folders of their own.
            if let Some(Value::Table(build)) = table.get_mut("build") {
                build.remove("target-dir");
                build.remove("build-dir");
            }
            let folder = file.parent().and_then(Path::parent).unwrap_or(&file);
            // The file of a custom target.
            visit(&mut table, &["build", "target"], &mut |text| {
                if text.ends_with(".json") {
                    *text = absolute(folder, text);
                }
                true
            });
            for path in self.take_out_own(&mut table) {
                carried.notes.push(format!(
                    "{} names {}, which is in the repository: each side has its own, and the setting is left out",
                    file.display(),
                    path
                ));
            }
            merge(&mut merged, table);
            carried.files.push(file);
        }
        let own = run_folder.join(".cargo");
        if !carried.files.is_empty() {
            fs::create_dir_all(&own)?;
            // It may hold passwords.
            let file = own.join("config.toml");
            fs::write(&file, [])?;
            fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
            fs::write(file, merged.to_string())?;
        }
        Ok(carried)
    }

    /// All configuration around the repository, file by file, with included files: what
    /// [`Surroundings::carry_over`] merges, and what it leaves to cargo.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(in crate::build) fn texts(&self) -> io::Result<Vec<(PathBuf, String)>> {
        let above = self.above().map(|(_, file)| file);
        let mut texts = Vec::new();
        for file in self.ignored().into_iter().chain(above) {
            if let Some(loaded) = load(&file, Includes::Followed)? {
                texts.extend(loaded.texts);
            }
        }
        Ok(texts)
    }

    fn above(&self) -> impl Iterator<Item = (&Path, PathBuf)> {
        let folders = self.repository.ancestors().skip(1);
        folders
            .filter(|folder| !is_cargo_home(&folder.join(".cargo")))
            .filter_map(|folder| Some((folder, config_in(folder)?)))
    }

    /// The configuration files inside the repository that cargo reads there and git ignores, the nearest first.
    fn ignored(&self) -> Vec<PathBuf> {
        let folders = self.folder.ancestors();
        let inside = folders.take_while(|folder| folder.starts_with(&self.repository));
        inside
            .filter(|folder| !is_cargo_home(&folder.join(".cargo")))
            .filter_map(config_in)
            .filter(|file| is_ignored(&self.repository, file))
            .collect()
    }

    /// Takes out the settings that name a file of the repository, unless git ignores it, and gives the
    /// paths: a side must not be built with files of the working tree.
    fn take_out_own(&self, table: &mut Table) -> Vec<String> {
        let mut taken = Vec::new();
        let mut keep = |text: &mut String| {
            let path = Path::new(text.split(' ').next().unwrap_or_default());
            let own = path.starts_with(&self.repository) && !is_ignored(&self.repository, path);
            if own {
                taken.push(path.display().to_string());
            }
            !own
        };
        let values = ["env", "*", "value"];
        for keys in PATHS
            .iter()
            .chain(PROGRAMS)
            .copied()
            .chain([values.as_slice()])
        {
            visit(table, keys, &mut keep);
        }
        if !taken.is_empty() {
            take_out_remains(table);
        }
        taken
    }
}

/// Removes entries that became empty when settings were removed from them, since cargo refuses those; and entries
/// that refer to them.
fn take_out_remains(table: &mut Table) {
    let lacks = |entry: &Value, keys: &[&str]| {
        let entry = entry.as_table();
        entry.is_some_and(|entry| !keys.iter().any(|key| entry.contains_key(*key)))
    };
    if let Some(Value::Table(env)) = table.get_mut("env") {
        env.retain(|_, entry| !lacks(entry, &["value"]));
    }
    if let Some(Value::Table(patch)) = table.get_mut("patch") {
        for (_, source) in patch.iter_mut() {
            if let Value::Table(source) = source {
                source.retain(|_, entry| !lacks(entry, &["path", "git", "version"]));
            }
        }
    }
    if let Some(Value::Table(sources)) = table.get_mut("source") {
        let places = [
            "directory",
            "local-registry",
            "registry",
            "git",
            "replace-with",
        ];
        sources.retain(|_, entry| !lacks(entry, &places));
        let left: Vec<String> = sources.keys().cloned().collect();
        for (_, entry) in sources.iter_mut() {
            let Value::Table(entry) = entry else { continue };
            let refers = entry.get("replace-with").and_then(Value::as_str);
            if refers.is_some_and(|name| !left.iter().any(|left| left == name)) {
                entry.remove("replace-with");
            }
        }
        sources.retain(|_, entry| !lacks(entry, &places));
    }
}

/// Whether git ignores `path`, in the repository at `root`, and has it in no commit that is checked out.
pub(in crate::build) fn is_ignored(root: &Path, path: &Path) -> bool {
    let ignored = || -> Result<bool, git2::Error> {
        let repository = git2::Repository::open(root)?;
        let Ok(inside) = path.strip_prefix(root) else {
            return Ok(false);
        };
        let tracked = repository.index()?.get_path(inside, 0).is_some();
        Ok(!tracked && repository.is_path_ignored(inside)?)
    };
    ignored().unwrap_or(false)
}

/// Cargo prefers the name without an ending where both exist.
fn config_in(folder: &Path) -> Option<PathBuf> {
    ["config", "config.toml"]
        .map(|name| folder.join(".cargo").join(name))
        .into_iter()
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path, text: &str) {
        fs::create_dir_all(folder.join(".cargo")).unwrap();
        fs::write(folder.join(".cargo/config.toml"), text).unwrap();
    }

    fn around(repository: &Path) -> Surroundings {
        Surroundings::of(repository, Path::new(""))
    }

    fn merged(run: &Path) -> Table {
        let text = fs::read_to_string(run.join(".cargo/config.toml")).unwrap();
        text.parse().unwrap()
    }

    #[test]
    fn files_above_the_repository_are_merged_nearest_first_with_their_paths_made_absolute() {
        let temp = tempfile::tempdir().unwrap();
        let (home, run) = (temp.path().join("home"), temp.path().join("cache/run"));
        let repository = home.join("work/project");
        fs::create_dir_all(&repository).unwrap();
        fs::create_dir_all(&run).unwrap();
        config(&repository, "[build]\njobs = 7");
        config(
            &home.join("work"),
            "[build]\njobs = 2\nrustflags = [\"-Cnear\"]\ntarget-dir = \"x\"\n\
             [target.x86_64-unknown-linux-gnu]\nlinker = \"tools/ld\"\n\
             [env]\nDATA = { value = \"data\", relative = true }",
        );
        config(
            &home,
            "[build]\njobs = 1\nrustflags = [\"-Cfar\"]\n[term]\nverbose = true\n\
             [source.ours]\ndirectory = \"vendor\"\n[target.x86_64-unknown-linux-gnu]\nlinker = \"cc\"",
        );
        let carried = around(&repository).carry_over(&run, Includes::Followed);
        let files = carried.unwrap().files;
        assert_eq!(files.len(), 2, "{files:?}");
        let text = fs::read_to_string(run.join(".cargo/config.toml")).unwrap();
        let merged: Table = text.parse().unwrap();
        let work = home.join("work");
        let expected: Table = format!(
            "[build]\njobs = 2\nrustflags = [\"-Cfar\", \"-Cnear\"]\n[term]\nverbose = true\n\
             [source.ours]\ndirectory = \"{0}/vendor\"\n\
             [target.x86_64-unknown-linux-gnu]\nlinker = \"{1}/tools/ld\"\n\
             [env]\nDATA = {{ value = \"{1}/data\" }}",
            home.display(),
            work.display()
        )
        .parse()
        .unwrap();
        assert_eq!(merged, expected);
    }

    #[test]
    fn without_such_files_nothing_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let repository = temp.path().join("a/project");
        let run = temp.path().join("b/run");
        fs::create_dir_all(&repository).unwrap();
        fs::create_dir_all(&run).unwrap();
        let carried = around(&repository).carry_over(&run, Includes::Followed);
        assert_eq!(carried.unwrap(), Carried::default());
        assert!(!run.join(".cargo").exists());
    }

    #[test]
    fn what_a_file_includes_ranks_below_it_and_is_found_where_it_lies() {
        let temp = tempfile::tempdir().unwrap();
        let (home, run) = (temp.path().join("home"), temp.path().join("run"));
        let repository = home.join("project");
        fs::create_dir_all(&repository).unwrap();
        fs::create_dir_all(&run).unwrap();
        config(
            &home,
            "include = [\"first.toml\", { path = \"more/second.toml\" }, { path = \"none.toml\", optional = true }]\n\
             [env]\nA = \"own\"",
        );
        let put = |name: &str, text: &str| {
            fs::create_dir_all(home.join(".cargo/more")).unwrap();
            fs::write(home.join(".cargo").join(name), text).unwrap();
        };
        put(
            "first.toml",
            "[env]\nA = \"first\"\nB = \"first\"\nC = \"first\"",
        );
        put(
            "more/second.toml",
            "[env]\nA = \"second\"\nB = \"second\"\nD = { value = \"data\", relative = true }",
        );
        let surroundings = around(&repository);
        surroundings.carry_over(&run, Includes::Followed).unwrap();
        let expected = format!(
            "[env]\nA = \"own\"\nB = \"second\"\nC = \"first\"\nD = {{ value = \"{}/.cargo/data\" }}",
            home.display()
        );
        assert_eq!(merged(&run), expected.parse::<Table>().unwrap());
        assert_eq!(surroundings.texts().unwrap().len(), 3);
        // A cargo that does not know the key warns and goes on.
        surroundings.carry_over(&run, Includes::Unknown).unwrap();
        assert_eq!(merged(&run), "[env]\nA = \"own\"".parse::<Table>().unwrap());
        put("first.toml", "include = [\"config.toml\"]");
        let circle = surroundings.carry_over(&run, Includes::Followed).unwrap();
        assert_eq!(circle.files, Vec::<PathBuf>::new());
    }

    #[test]
    fn an_ignored_file_counts_as_one_above_without_what_it_names_of_the_repository() {
        let temp = tempfile::tempdir().unwrap();
        let run = temp.path().join("run");
        fs::create_dir_all(&run).unwrap();
        let repository = temp.path().join("work/project");
        let git = git2::Repository::init(&repository).unwrap();
        config(
            &temp.path().join("work"),
            "[env]\nA = \"above\"\nB = \"above\"",
        );
        config(
            &repository,
            "[env]\nA = \"ignored\"\nOURS = { value = \"data\", relative = true }\n\
             [source.crates-io]\nreplace-with = \"tracked\"\n\
             [source.vendored]\ndirectory = \"vendor\"\n[source.tracked]\ndirectory = \"third-party\"",
        );
        let surroundings = Surroundings::of(&repository, Path::new("inner"));
        // Git does not ignore the file, so it is part of the working tree.
        let carried = surroundings.carry_over(&run, Includes::Followed).unwrap();
        assert_eq!((carried.files.len(), carried.notes.len()), (1, 0));

        fs::write(repository.join(".gitignore"), ".cargo\n/vendor\n").unwrap();
        let carried = surroundings.carry_over(&run, Includes::Followed).unwrap();
        assert_eq!(carried.files.len(), 2);
        let [applies, data, tracked] = carried.notes.as_slice() else {
            panic!("{:?}", carried.notes);
        };
        assert!(
            applies.starts_with(".cargo/config.toml, which git ignores"),
            "{applies}"
        );
        assert!(data.contains("project/data") || tracked.contains("project/data"));
        assert!(data.contains("project/third-party") || tracked.contains("project/third-party"));
        let expected = format!(
            "[env]\nA = \"ignored\"\nB = \"above\"\n\
             [source.vendored]\ndirectory = \"{}/vendor\"",
            repository.display()
        );
        assert_eq!(merged(&run), expected.parse::<Table>().unwrap());

        // Once it is tracked it is part of revisions.
        let mut index = git.index().unwrap();
        index.add_path(Path::new(".cargo/config.toml")).unwrap();
        index.write().unwrap();
        let carried = surroundings.carry_over(&run, Includes::Followed).unwrap();
        assert_eq!((carried.files.len(), carried.notes.len()), (1, 0));
    }
}
