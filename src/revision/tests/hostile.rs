//! Trees that no honest git makes.

use git2::{ObjectType, Oid, Repository};

use super::*;

/// A tree of the given entries, whatever their names: `(mode, name, id)`.
fn tree(repository: &Repository, entries: &[(&str, &str, Oid)]) -> Oid {
    let mut data = Vec::new();
    for (mode, name, id) in entries {
        data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        data.extend_from_slice(id.as_bytes());
    }
    let odb = repository.odb().expect("an object store");
    odb.write(ObjectType::Tree, &data).expect("a tree")
}

/// Lays out a commit with these entries beside a manifest, and gives the error if there is one.
fn lay_out(
    entries: impl Fn(&Repository, Oid) -> Vec<(&'static str, &'static str, Oid)>,
) -> (Ground, Result<Paired<Checkout>, RevisionError>) {
    let ground = Ground::new();
    std::fs::create_dir(ground.path("outside")).expect("a folder");
    let work = ground.repository("work");
    let repository = Repository::open(&work.root).expect("a repository");
    let evil = repository.blob(b"evil").expect("a blob");
    let manifest = repository.blob(MANIFEST.as_bytes()).expect("a blob");
    let mut all = entries(&repository, evil);
    all.push(("100644", "Cargo.toml", manifest));
    // Git finds entries by bisection.
    all.sort_by_key(|(_, name, _)| *name);
    let root = tree(&repository, &all);
    let odb = repository.odb().expect("an object store");
    let commit = format!("tree {root}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> 0 +0000\n\nx\n");
    let commit = odb
        .write(ObjectType::Commit, commit.as_bytes())
        .expect("a commit");
    let resolved = work.resolve(&format!("HEAD..{commit}")).expect("resolved");
    let scratch = ground.scratch();
    let result = check_out(&resolved, &scratch, &|_| {});
    // Whatever came of it: nothing outside of the two checkouts, and no hook inside.
    let hooks = scratch.path().join("head/.git/hooks/evil");
    assert!(!hooks.exists(), "a hook was planted");
    assert_eq!(listing(&ground.path("outside")), [] as [&str; 0]);
    for name in ["evil", "head/../evil"] {
        assert!(!scratch.path().join(name).exists(), "{name} was planted");
    }
    assert!(!ground.path("runs/evil").exists());
    (ground, result)
}

#[test]
fn a_tree_cannot_climb_out_of_its_folder() {
    for name in ["..", "../evil", "/tmp/evil-of-perfcheck"] {
        let (_ground, result) = lay_out(|repository, evil| {
            if name == ".." {
                let inner = tree(repository, &[("100644", "evil", evil)]);
                vec![("40000", "..", inner)]
            } else {
                vec![("100644", name, evil)]
            }
        });
        assert!(result.is_err(), "{name} was laid out");
    }
}

#[test]
fn a_tree_cannot_write_into_its_own_git_folder() {
    for name in [".git", ".GIT"] {
        let (_ground, result) = lay_out(|repository, evil| {
            let hooks = tree(repository, &[("100755", "evil", evil)]);
            let git = tree(repository, &[("40000", "hooks", hooks)]);
            vec![("40000", name, git)]
        });
        if name == ".git" {
            assert!(result.is_err(), "{name} was laid out");
        }
    }
}

#[test]
fn a_tree_cannot_write_through_its_own_symbolic_link() {
    let (_ground, _) = lay_out(|repository, evil| {
        let outside = repository.workdir().expect("a checkout").join("../outside");
        let target = outside.to_str().expect("text").as_bytes().to_vec();
        let link = repository.blob(&target).expect("a blob");
        let inner = tree(repository, &[("100644", "evil", evil)]);
        vec![("120000", "both", link), ("40000", "both", inner)]
    });
}
