//! Stores of real repositories and folders.

use std::collections::BTreeSet;
use std::path::Path;

use git2::{Repository, Signature};

use super::super::files::Acceptance;
use super::super::{HistoryError, RemoteHistory};
use super::*;
use crate::units::{BenchmarkKey, Timestamp};

fn repository(folder: &Path) -> Repository {
    let repository = Repository::init(folder).unwrap();
    let writer = Signature::now("Author", "author@example.com").unwrap();
    let tree = repository.treebuilder(None).unwrap().write().unwrap();
    let tree = repository.find_tree(tree).unwrap();
    repository
        .commit(Some("HEAD"), &writer, &writer, "first", &tree, &[])
        .unwrap();
    drop(tree);
    repository
}

fn file(n: usize) -> StoredFile {
    StoredFile::Accepted(Acceptance {
        commit: format!("{n:040x}"),
        key: BenchmarkKey::new("codec", "codec", "parse"),
        why: "a test".to_owned(),
        date: Timestamp::from_unix(1_767_258_000),
    })
}

fn on_reference(folder: &Path) -> HistoryStore {
    HistoryStore::open(&HistoryPlace::Reference, folder).unwrap()
}

fn commits(store: &HistoryStore) -> BTreeSet<String> {
    let files = store.read().unwrap().files.into_iter();
    let commits = files.filter_map(|file| match file {
        StoredFile::Accepted(acceptance) => Some(acceptance.commit),
        _ => None,
    });
    commits.collect()
}

/// Every reference but ours, HEAD, the status and the index: what must not change.
fn surroundings(repository: &Repository) -> Vec<String> {
    let references = repository.references().unwrap().flatten();
    let shown = references.map(|r| format!("{:?} {:?}", r.name().unwrap(), r.target()));
    let mut found: Vec<String> = shown.filter(|r| !r.contains(REFERENCE)).collect();
    found.push(format!("{:?}", repository.head().unwrap().name().unwrap()));
    let index = fs_err::read(repository.path().join("index")).unwrap_or_default();
    found.push(format!("{index:?}"));
    found.push(repository.statuses(None).unwrap().len().to_string());
    found
}

#[test]
fn what_is_added_is_read_again_and_nothing_else_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    fs_err::write(folder.path().join("untracked"), "mine").unwrap();
    let before = surroundings(&repository);
    let store = on_reference(folder.path());
    assert!(store.read().unwrap().files.is_empty());
    store.add(&[file(1)]).unwrap();
    store.add(&[file(2), file(3)]).unwrap();
    assert_eq!(commits(&store).len(), 3);
    let tip = repository.refname_to_id(REFERENCE).unwrap();
    store.add(&[file(2)]).unwrap();
    assert_eq!(repository.refname_to_id(REFERENCE).unwrap(), tip);
    assert_eq!(surroundings(&repository), before);
    let commit = repository.find_commit(tip).unwrap();
    assert_eq!(commit.parent_count(), 1);
    assert_eq!(commit.author().name().unwrap(), "cargo-perfcheck");
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                let store = on_reference(path);
                for n in 0..8 {
                    store.add(&[file(100 * writer + n)]).unwrap();
                }
            });
        }
    });
    assert_eq!(commits(&on_reference(folder.path())).len(), 32);
}

#[test]
fn what_one_side_pruned_does_not_come_back_with_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let store = on_reference(folder.path());
    store.add(&[file(1), file(2)]).unwrap();
    let before = repository.refname_to_id(REFERENCE).unwrap();
    store.add(&[file(3)]).unwrap();
    let theirs = repository.refname_to_id(REFERENCE).unwrap();
    repository.reference(REFERENCE, before, true, "").unwrap();
    let is_first = |one: &StoredFile| *one == file(1);
    assert_eq!(store.prune(is_first).unwrap(), 1);
    store.add(&[file(4)]).unwrap();
    store.shared().unwrap().unite(theirs).unwrap();
    let expected = [2, 3, 4].map(|n| format!("{n:040x}"));
    assert_eq!(commits(&store), BTreeSet::from(expected));
    let united = repository.refname_to_id(REFERENCE).unwrap();
    assert_eq!(repository.find_commit(united).unwrap().parent_count(), 2);
    store.shared().unwrap().unite(theirs).unwrap();
    assert_eq!(repository.refname_to_id(REFERENCE).unwrap(), united);
}

#[test]
fn what_is_recorded_during_a_prune_stays() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    let store = on_reference(folder.path());
    store.add(&[file(1), file(2)]).unwrap();
    let is_first = |one: &StoredFile| {
        on_reference(folder.path()).add(&[file(3)]).unwrap();
        *one == file(1)
    };
    assert_eq!(store.prune(is_first).unwrap(), 1);
    let expected = [2, 3].map(|n| format!("{n:040x}"));
    assert_eq!(commits(&store), BTreeSet::from(expected));
}

#[test]
fn a_remote_is_never_an_option_of_git() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let store = on_reference(folder.path());
    store.add(&[file(1)]).unwrap();
    let injected = folder.path().join("injected");
    let remote = format!("--upload-pack=touch {};", injected.display());
    let shared = store.shared().unwrap();
    let failed = [shared.fetch(&remote).map(|_| ()), shared.push(&remote)];
    for failed in failed {
        assert!(matches!(failed, Err(HistoryError::Git { .. })));
    }
    assert!(!injected.exists());
    assert!(repository.refname_to_id(REFERENCE).is_ok());
}

#[test]
fn only_the_reference_itself_is_fetched_and_nothing_is_left_of_it() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (repository, remote) = (repository(folder.path()), self::repository(other.path()));
    let theirs = on_reference(other.path());
    theirs.add(&[file(1)]).unwrap();
    let tip = remote.refname_to_id(REFERENCE).unwrap();
    let similar = format!("refs/heads/{REFERENCE}");
    remote.reference(&similar, tip, true, "").unwrap();
    let place = other.path().to_str().unwrap();
    let store = on_reference(folder.path());
    let before = surroundings(&repository);
    remote.find_reference(REFERENCE).unwrap().delete().unwrap();
    let fetched = store.shared().unwrap().fetch(place).unwrap();
    assert_eq!(fetched, RemoteHistory::Absent);
    theirs.add(&[file(2)]).unwrap();
    let fetched = store.shared().unwrap().fetch(place).unwrap();
    assert_eq!(fetched, RemoteHistory::United);
    assert_eq!(commits(&store), BTreeSet::from([format!("{:040x}", 2)]));
    assert_eq!(surroundings(&repository), before);
    assert!(!repository.path().join("FETCH_HEAD").exists());
}

#[test]
fn prune_leaves_what_is_the_users_and_what_a_newer_version_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let place = HistoryPlace::Folder(folder.path().to_owned());
    let store = HistoryStore::open(&place, folder.path()).unwrap();
    store.add(&[file(1)]).unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    };
    let named = |bytes: &[u8]| {
        let digest = git2::Oid::hash_object(git2::ObjectType::Blob, bytes).unwrap();
        let digest = digest.to_string();
        format!("{}/{}.json", &digest[..2], &digest[2..])
    };
    let newer = b"{\"kind\":\"run\",\"version\":1000}\n";
    let no_record = b"[1]\n";
    let digits = "0".repeat(38);
    let users = [
        "package.json".to_owned(),
        "ab/package.json".to_owned(),
        format!("AB/{digits}.json"),
        format!("ab/cd/{digits}.json"),
    ];
    for path in &users {
        write(path, b"{}");
    }
    let linked = tempfile::tempdir().unwrap();
    fs_err::write(linked.path().join(format!("{digits}.json")), "{}").unwrap();
    std::os::unix::fs::symlink(linked.path(), folder.path().join("cd")).unwrap();
    let broken = format!("00/{digits}.json");
    write(&broken, b"{}");
    write(&named(newer), newer);
    write(&named(no_record), no_record);
    assert_eq!(store.prune(|_| false).unwrap(), 2);
    assert_eq!(store.read().unwrap().files, [file(1)]);
    for path in [&broken, &named(no_record)] {
        assert!(!folder.path().join(path).exists(), "{path}");
    }
    for path in users.iter().chain([&named(newer)]) {
        assert!(folder.path().join(path).exists(), "{path}");
    }
    assert!(linked.path().join(format!("{digits}.json")).exists());
}

#[test]
fn a_folder_holds_the_same_and_names_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/history");
    let store = HistoryStore::open(&HistoryPlace::Folder(place.clone()), folder.path()).unwrap();
    assert!(store.read().unwrap().files.is_empty());
    store.add(&[file(1), file(2)]).unwrap();
    let good = NamedFile::of(&file(1)).unwrap();
    assert!(place.join(&good.path).is_file());
    fs_err::write(place.join(&good.path), &good.bytes[1..]).unwrap();
    let foreign = b"{\"kind\":\"song\"}";
    let digest = git2::Oid::hash_object(git2::ObjectType::Blob, foreign).unwrap();
    let digest = digest.to_string();
    let foreign_file = place
        .join(&digest[..2])
        .join(format!("{}.json", &digest[2..]));
    fs_err::create_dir_all(foreign_file.parent().unwrap()).unwrap();
    fs_err::write(foreign_file, foreign).unwrap();
    fs_err::write(place.join("notes.txt"), "no record").unwrap();
    let contents = store.read().unwrap();
    assert_eq!(contents.files, [file(2)]);
    let mut why: Vec<_> = contents.refused.iter().map(|r| r.why.clone()).collect();
    why.sort();
    assert_eq!(why[1], "its content is not what its name says");
    let foreign = "it is no record of a run: unknown variant `song`";
    assert!(why[0].starts_with(foreign), "{why:?}");
}

#[test]
fn where_no_repository_is_the_hint_names_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let Err(error) = HistoryStore::open(&HistoryPlace::Reference, folder.path()) else {
        panic!("a history without a repository");
    };
    assert!(matches!(error, HistoryError::Repository { .. }));
    assert!(error.hint().unwrap().contains("--history DIR"));
}
