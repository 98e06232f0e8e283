//! The sample repository that travels inside the binary.
//!
//! It is a small workspace with planted changes, one of each kind that a report can show; the
//! program treats it like any other repository. `fixtures/demo/README.md` says what is planted
//! where.

mod sample;

use std::path::{Path, PathBuf};

use git2::{Oid, Repository, RepositoryInitOptions, Signature, Time};

/// What the branch that holds the change started from.
const BASE_BRANCH: &str = "main";

/// One of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DemoSample {
    /// A workspace with benchmarks.
    Benchmarks,
    /// A service.
    Service,
}

impl DemoSample {
    /// The branch that holds the change.
    fn head_branch(self) -> &'static str {
        match self {
            DemoSample::Benchmarks => "faster-parser",
            DemoSample::Service => "simpler-server",
        }
    }

    /// What `main` holds, and what the other branch changes.
    fn states(self) -> [sample::SampleState; 2] {
        match self {
            DemoSample::Benchmarks => [sample::BASE, sample::HEAD],
            DemoSample::Service => [sample::SERVICE_BASE, sample::SERVICE_HEAD],
        }
    }
}

/// The sample, unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DemoRepository {
    /// Its working folder.
    pub(crate) root: PathBuf,
    /// The range that holds the planted changes.
    pub(crate) range: String,
}

/// Why the sample could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The folder exists and is not empty: nothing there is overwritten.
    #[error("the folder for the sample repository is not empty: {}", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("the sample repository could not be written")]
    Write {
        /// What the system said, with the path.
        #[from]
        source: std::io::Error,
    },
    /// The repository could not be made.
    #[error("no git repository could be made in {}", path.display())]
    Git {
        /// The folder.
        path: PathBuf,
        /// What git said.
        source: git2::Error,
    },
}

impl DemoError {
    /// What to type, where that helps.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            DemoError::Occupied { .. } => Some("name a folder that does not exist yet".to_owned()),
            DemoError::Write { .. } | DemoError::Git { .. } => Some(
                "set TMPDIR to a folder that can be written: TMPDIR=~/tmp cargo perfcheck demo"
                    .to_owned(),
            ),
        }
    }
}

/// Writes a sample into `into` (which must be empty, and is created if it is missing) as a git
/// repository of two commits, with the second one checked out. The commit ids are the same
/// everywhere, since authors and dates are fixed.
///
/// # Errors
/// The folder is not empty, or cannot be written to.
pub(crate) fn unpack(sample: DemoSample, into: &Path) -> Result<DemoRepository, DemoError> {
    fs_err::create_dir_all(into)?;
    if fs_err::read_dir(into)?.next().is_some() {
        return Err(DemoError::Occupied {
            path: into.to_owned(),
        });
    }
    commit_both(sample, into).map_err(|source| DemoError::Git {
        path: into.to_owned(),
        source,
    })?;
    Ok(DemoRepository {
        root: into.to_owned(),
        range: format!("{BASE_BRANCH}..{}", sample.head_branch()),
    })
}

fn commit_both(sample: DemoSample, root: &Path) -> Result<(), git2::Error> {
    // Without a template: the user's would bring hooks into the sample.
    let repository = Repository::init_opts(
        root,
        RepositoryInitOptions::new()
            .initial_head(BASE_BRANCH)
            .external_template(false)
            .no_reinit(true),
    )?;
    repository.config()?.set_bool("core.autocrlf", false)?;
    let (branch, [before, after]) = (sample.head_branch(), sample.states());
    let base = commit(&repository, BASE_BRANCH, &before, None)?;
    commit(&repository, branch, &after, Some(base))?;
    repository.set_head(&format!("refs/heads/{branch}"))?;
    repository.checkout_head(Some(git2::build::CheckoutBuilder::new().force()))
}

/// Commits a state of the sample on a branch; the files of a parent stay unless the state replaces
/// them.
fn commit(
    repository: &Repository,
    branch: &str,
    state: &sample::SampleState,
    parent: Option<Oid>,
) -> Result<Oid, git2::Error> {
    let parent = parent.map(|id| repository.find_commit(id)).transpose()?;
    let mut files = git2::build::TreeUpdateBuilder::new();
    for file in state.files {
        let blob = repository.blob(file.content.as_bytes())?;
        files.upsert(file.path, blob, git2::FileMode::Blob);
    }
    let onto = match &parent {
        Some(parent) => parent.tree()?,
        None => repository.find_tree(repository.treebuilder(None)?.write()?)?,
    };
    let tree = repository.find_tree(files.create_updated(repository, &onto)?)?;
    let author = Signature::new(
        "Sample Author",
        "author@example.com",
        &Time::new(state.committed_at, 0),
    )?;
    repository.commit(
        Some(&format!("refs/heads/{branch}")),
        &author,
        &author,
        state.message,
        &tree,
        parent.as_ref().into_iter().collect::<Vec<_>>().as_slice(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_two_clean_commits_whose_ids_never_change() {
        let folder = tempfile::tempdir().unwrap();
        let sample = unpack(DemoSample::Benchmarks, &folder.path().join("sample")).unwrap();
        assert_eq!(sample.range, "main..faster-parser");

        let repository = Repository::open(&sample.root).unwrap();
        assert!(repository.statuses(None).unwrap().is_empty());
        let id = |name: &str| repository.revparse_single(name).unwrap().id().to_string();
        assert_eq!(id("main"), id("faster-parser~1"));
        assert_eq!(
            [id("main"), id("faster-parser")],
            [
                "57c287c0c65dc8a1e2c7eab4bec023e3f7ce0ac8",
                "4e2abaef0a313841b626daf0df295d983cd75060"
            ]
        );
    }

    #[test]
    fn the_change_touches_what_the_head_overlay_holds_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let sample = unpack(DemoSample::Benchmarks, folder.path()).unwrap();
        let repository = Repository::open(&sample.root).unwrap();
        let tree = |name: &str| {
            repository
                .revparse_single(name)
                .unwrap()
                .peel_to_tree()
                .unwrap()
        };
        let diff = repository
            .diff_tree_to_tree(Some(&tree("main")), Some(&tree("faster-parser")), None)
            .unwrap();
        let mut changed: Vec<String> = diff
            .deltas()
            .map(|delta| delta.new_file().path().unwrap().display().to_string())
            .collect();
        changed.sort();
        let mut overlaid: Vec<&str> = sample::HEAD.files.iter().map(|file| file.path).collect();
        overlaid.sort_unstable();
        assert_eq!(changed, overlaid);
    }

    #[test]
    fn the_service_is_configured_and_its_change_touches_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let sample = unpack(DemoSample::Service, folder.path()).unwrap();
        assert_eq!(sample.range, "main..simpler-server");
        for file in ["Cargo.toml", "perfcheck.toml", "src/main.rs"] {
            assert!(sample.root.join(file).is_file(), "{file}");
        }
        let planted = fs_err::read_to_string(sample.root.join("src/planted.rs")).unwrap();
        assert!(planted.contains("ABORTS: bool = true"), "{planted}");
        let names = |source: &str| -> Vec<String> {
            let words = source.split_whitespace();
            let names = words.filter(|word| word.ends_with(':'));
            names.map(str::to_owned).collect()
        };
        let [before, after] = DemoSample::Service.states();
        let of = |state: &sample::SampleState| {
            let mut files = state.files.iter();
            let planted = files.find(|file| file.path == "src/planted.rs").unwrap();
            names(planted.content)
        };
        assert_eq!(of(&before), of(&after));
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("mine.txt"), "precious").unwrap();
        let error = unpack(DemoSample::Benchmarks, folder.path()).unwrap_err();
        assert!(matches!(error, DemoError::Occupied { .. }));
        assert!(error.hint().is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_file_of_the_fixture_is_embedded() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
        for (side, state) in [("base", &sample::BASE), ("head", &sample::HEAD)] {
            let mut on_disk = Vec::new();
            list(&fixture.join(side), &fixture.join(side), &mut on_disk);
            on_disk.sort();
            let mut embedded: Vec<String> = state
                .files
                .iter()
                .map(|file| file.path.to_owned())
                .collect();
            embedded.sort();
            assert_eq!(embedded, on_disk, "{side}");
        }
    }

    /// The files below `folder`, named as in the sample.
    fn list(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.push(match name.strip_suffix(".in") {
                    Some("gitignore") => ".gitignore".to_owned(),
                    Some(plain) => plain.to_owned(),
                    None => name,
                });
            }
        }
    }
}
