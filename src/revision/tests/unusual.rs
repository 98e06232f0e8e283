//! Repositories that the `git` program opens and libgit2 does not, and checkouts of a part.

use super::*;

/// A repository with a folder that a sparse checkout leaves out.
fn with_folders(ground: &Ground, options: &[&str]) -> Work {
    let work = Work {
        root: ground.path("work"),
    };
    std::fs::create_dir_all(&work.root).expect("a folder");
    work.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
    work.write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", "// one\n")
        .write("docs/deep/guide.md", "guide\n");
    work.commit("one");
    work.write("src/lib.rs", "// two\n").commit("two");
    work
}

/// Commits, tags, branches, and uncommitted changes are compared as anywhere, and nothing is written.
fn behaves_as_any(work: &Work, ground: &Ground) {
    work.git(&["branch", "feature"]);
    work.git(&["tag", "v1", "HEAD~1"]);
    let (base, head) = work.ids("v1..feature");
    assert_eq!((base, head), (work.id("HEAD~1"), work.id("HEAD")));
    let (message, _) = work.error("HEAD");
    assert!(message.contains("has no changes since"), "{message}");
    let (message, hint) = work.error("featur..main");
    assert!(message.contains("unknown revision `featur`"), "{message}");
    assert_eq!(hint, "did you mean feature?");

    work.write("src/lib.rs", "// three\n")
        .write("src/new.rs", "// new\n")
        .write("ignored.log", "")
        .write(".gitignore", "*.log\n");
    let before = work.git(&["status", "--porcelain=v2", "--branch"]);
    let index = std::fs::read(work.root.join(".git/index")).expect("an index");
    let scratch = ground.scratch();
    let sides = work.check_out("v1", &scratch);
    let base = listing(&sides.base.root);
    assert!(
        base.contains(&"src/lib.rs: \"// one\\n\"".to_owned()),
        "{base:?}"
    );
    let head = listing(&sides.head.root);
    for line in [
        "docs/deep/guide.md: \"guide\\n\"",
        "src/lib.rs: \"// three\\n\"",
        "src/new.rs: \"// new\\n\"",
    ] {
        assert!(head.contains(&line.to_owned()), "{line}: {head:?}");
    }
    assert!(!head.iter().any(|line| line.starts_with("ignored.log")));
    let changed = changed_files(sides.as_ref()).expect("the changes");
    assert!(
        changed.iter().all(|file| !file.texts.head.is_empty()),
        "{changed:?}"
    );
    assert_eq!(work.git(&["status", "--porcelain=v2", "--branch"]), before);
    let after = std::fs::read(work.root.join(".git/index")).expect("an index");
    assert!(index == after, "the user's index was written");
    let left: Vec<_> = std::fs::read_dir(scratch.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().starts_with("repository-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn reftables_are_read_with_the_git_program() {
    let ground = Ground::new();
    let work = with_folders(&ground, &["--ref-format=reftable"]);
    assert!(
        git2::Repository::open(&work.root).is_err(),
        "our library reads it"
    );
    behaves_as_any(&work, &ground);
}

#[test]
fn a_split_index_is_read_with_the_git_program() {
    let ground = Ground::new();
    let work = with_folders(&ground, &[]);
    work.git(&["update-index", "--split-index"]);
    let repository = git2::Repository::open(&work.root).expect("a repository");
    assert!(repository.index().is_err(), "our library reads it");
    behaves_as_any(&work, &ground);
}

#[test]
fn a_sparse_index_is_read_with_the_git_program_and_what_it_leaves_out_is_not_deleted() {
    let ground = Ground::new();
    let work = with_folders(&ground, &[]);
    work.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "src"]);
    assert!(!work.root.join("docs").exists());
    let repository = git2::Repository::open(&work.root).expect("a repository");
    assert!(repository.index().is_err(), "our library reads it");
    behaves_as_any(&work, &ground);
}

#[test]
fn files_outside_of_a_sparse_checkout_are_not_deleted_and_those_inside_are() {
    let ground = Ground::new();
    let work = with_folders(&ground, &[]);
    work.git(&[
        "sparse-checkout",
        "set",
        "--cone",
        "--no-sparse-index",
        "src",
    ]);
    assert!(!work.root.join("docs").exists());
    behaves_as_any(&work, &ground);
    work.remove("src/lib.rs");
    let scratch = ground.scratch();
    let sides = work.check_out("v1", &scratch);
    assert!(!sides.head.root.join("src/lib.rs").exists());
    assert!(sides.head.root.join("docs/deep/guide.md").exists());
}

#[test]
fn a_linked_worktree_with_a_split_index_is_that_worktree() {
    let ground = Ground::new();
    let work = with_folders(&ground, &[]);
    work.git(&["worktree", "add", "--quiet", "-b", "side", "../side"]);
    let side = Work {
        root: ground.path("side"),
    };
    side.write("src/lib.rs", "// side\n").commit("three");
    side.git(&["update-index", "--split-index"]);
    side.write("src/lib.rs", "// changed\n");
    let scratch = ground.scratch();
    let sides = side.check_out("main", &scratch);
    assert_eq!(sides.head.revision.commit, side.id("side"));
    let head = listing(&sides.head.root);
    assert!(
        head.contains(&"src/lib.rs: \"// changed\\n\"".to_owned()),
        "{head:?}"
    );
}

#[test]
fn a_partial_clone_is_compared_where_its_objects_are_there() {
    let ground = Ground::new();
    let origin = with_folders(&ground, &[]);
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", origin.root.display());
    let clone = ground.path("clone").display().to_string();
    origin.git(&["clone", "--quiet", "--filter=blob:none", &from, &clone]);
    let work = Work {
        root: ground.path("clone"),
    };
    let scratch = ground.scratch();
    let resolved = work.resolve("HEAD~1..HEAD").expect("two revisions");
    let error = check_out(&resolved, &scratch, &|_| {}).expect_err("a file is missing");
    let hint = error.hint().expect("a hint");
    let words: Vec<&str> = hint
        .split(": ")
        .nth(1)
        .expect("a command")
        .split(' ')
        .collect();
    work.git(&words[1..]);
    let again = Ground::new();
    let sides = work.check_out("HEAD~1..HEAD", &again.scratch());
    assert_eq!(sides.base.revision.commit, origin.id("HEAD~1"));
}

#[test]
fn object_ids_of_sha_256_are_named_with_a_way_that_works() {
    let ground = Ground::new();
    let work = with_folders(&ground, &["--object-format=sha256"]);
    let (message, hint) = work.error("HEAD~1..HEAD");
    assert!(message.ends_with("uses SHA-256 object ids"), "{message}");
    let command = hint.split_once(": ").expect("a command").1;
    let status = Command::new("sh")
        .args(["-e", "-c", command])
        .current_dir(&work.root)
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    assert!(status.status.success(), "{status:?}");
    let copy = Work {
        root: ground.path("copy"),
    };
    let resolved = copy.resolve("HEAD~1..HEAD").expect("two revisions");
    assert_eq!(resolved.revisions.head.subject, "two");
}
