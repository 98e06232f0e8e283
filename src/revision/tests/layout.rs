use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn set_executable(work: &Work, path: &str) {
    let permissions = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(work.root.join(path), permissions).expect("chmod");
}

#[test]
fn both_sides_are_laid_out_beside_each_other() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    assert_eq!(sides.base.root, scratch.path().join("base"));
    assert_eq!(sides.head.root, scratch.path().join("head"));
    assert_eq!(sides.head.original_root, work.root);
    assert_eq!(sides.head.manifest_path, sides.head.root.join("Cargo.toml"));
    assert!(listing(&sides.base.root).contains(&"src/lib.rs: \"// one\\n\"".to_owned()));
    assert!(listing(&sides.head.root).contains(&"src/lib.rs: \"// two\\n\"".to_owned()));
    assert_eq!(sides.base.notes, [] as [&str; 0]);
}

#[test]
fn build_scripts_find_a_repository_with_history_and_tags() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&["tag", "--annotate", "--message", "text", "v1.0", "HEAD~1"]);
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    let head = Work {
        root: sides.head.root,
    };
    assert_eq!(head.git(&["status", "--porcelain"]), "");
    assert_eq!(head.id("HEAD"), work.id("HEAD"));
    assert_eq!(head.git(&["rev-list", "--count", "HEAD"]), "2");
    assert!(head.git(&["describe"]).starts_with("v1.0-1-g"));
    assert!(head.root.join(".git").is_dir());
    assert_eq!(work.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn links_executable_bits_and_line_ends_are_those_of_a_checkout() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.write("run.sh", "#!/bin/sh\n")
        .write(".gitattributes", "*.bat eol=crlf\n")
        .write("run.bat", "echo\r\n")
        .link("run.sh", "link")
        .link("/nonexistent/outside", "absolute")
        .link("../up", "src/up");
    set_executable(&work, "run.sh");
    work.commit("three");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    assert_eq!(listing(&sides.head.root), listing(&work.root));
}

#[test]
fn a_workspace_in_a_linked_worktree_is_laid_out() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    let linked = Work {
        root: ground.path("linked"),
    };
    linked.write("src/lib.rs", "// three\n").write("new.rs", "");
    let scratch = ground.scratch();
    let sides = linked.check_out("HEAD", &scratch);
    assert_eq!(listing(&sides.head.root), listing(&linked.root));
}

#[test]
fn a_repository_that_borrows_objects_itself_is_laid_out() {
    let ground = Ground::new();
    let lender = ground.repository("lender");
    lender.git(&["clone", "--quiet", "--shared", ".", "../work"]);
    let work = Work {
        root: ground.path("work"),
    };
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    assert_eq!(listing(&sides.head.root), listing(&work.root));
}

#[test]
fn a_shallow_clone_is_laid_out() {
    let ground = Ground::new();
    let origin = ground.repository("origin");
    origin.commit("three");
    let url = format!("file://{}", origin.root.display());
    origin.git(&["clone", "--quiet", "--depth=2", &url, "../work"]);
    let work = Work {
        root: ground.path("work"),
    };
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    let head = Work {
        root: sides.head.root,
    };
    assert_eq!(head.git(&["rev-list", "--count", "HEAD"]), "2");
}

#[test]
fn the_working_tree_is_copied_as_it_lies() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.write(".gitignore", "/ignored\n*.log\n")
        .write("deleted/only.rs", "")
        .write("staged.rs", "1")
        .write("file-becomes-folder", "")
        .write("folder-becomes-file/inner/deep", "")
        .write("script", "")
        .link("Cargo.toml", "link-becomes-file")
        .link("src", "link-becomes-folder")
        .write("file-becomes-link", "")
        .commit("three");
    work.write("src/lib.rs", "// uncommitted\n")
        .remove("deleted/only.rs")
        .remove("file-becomes-folder")
        .remove("link-becomes-file")
        .remove("link-becomes-folder")
        .remove("file-becomes-link");
    std::fs::remove_dir(work.root.join("deleted")).expect("an empty folder");
    std::fs::remove_dir_all(work.root.join("folder-becomes-file")).expect("removed");
    work.write("staged.rs", "2").git(&["add", "staged.rs"]);
    work.write("staged.rs", "3")
        .write("added.rs", "")
        .git(&["add", "added.rs"]);
    work.write("file-becomes-folder/new/deep.rs", "x")
        .write("folder-becomes-file", "y")
        .write("link-becomes-file", "z")
        .write("link-becomes-folder/lib.rs", "must not reach src/lib.rs")
        .link("staged.rs", "file-becomes-link")
        .link("nowhere", "untracked-link")
        .write("untracked/a b/ü.rs", "new");
    set_executable(&work, "script");
    let expected = listing(&work.root);
    work.write("ignored/file", "").write("some.log", "");

    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1", &scratch);
    assert_eq!(listing(&sides.head.root), expected);
    assert_eq!(sides.head.notes, [] as [&str; 0]);
    assert!(listing(&sides.base.root).contains(&"src/lib.rs: \"// two\\n\"".to_owned()));
}

#[test]
fn the_build_folder_of_a_repository_that_does_not_ignore_it_is_left_out() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# cargo\n";
    work.write("target/CACHEDIR.TAG", tag)
        .write("target/debug/huge", "");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD", &scratch);
    assert!(!sides.head.root.join("target").exists());
    assert_eq!(
        sides.head.notes,
        ["the untracked cache folder target is not copied"]
    );
}

#[test]
fn a_run_folder_within_the_checkout_is_not_copied_into_itself() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.write("src/new.rs", "");
    let parent = crate::scratch::default_parent(Some(&work.root.join("out")));
    let scratch = Scratch::create(&parent, None).expect("a scratch folder");
    let sides = work.check_out("HEAD", &scratch);
    assert!(sides.head.root.join("src/new.rs").exists());
    assert!(!sides.head.root.join("out").exists());
}

#[test]
fn a_repository_inside_that_is_not_tracked_comes_along() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let nested = ground.repository("work/vendor/nested");
    nested
        .write("src/lib.rs", "// changed\n")
        .write("extra.rs", "");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD", &scratch);
    assert_eq!(listing(&sides.head.root), listing(&work.root));
    assert!(!sides.base.root.join("vendor").exists());
}

/// A repository with a submodule in a submodule, cloned with both.
fn with_submodules(ground: &Ground) -> Work {
    let inner = ground.repository("inner");
    let outer = ground.repository("outer");
    let url = |work: &Work| format!("file://{}", work.root.display());
    outer.git(&["submodule", "--quiet", "add", &url(&inner), "deep/inner"]);
    outer.commit("with inner");
    let work = ground.repository("work");
    work.git(&[
        "submodule",
        "--quiet",
        "add",
        "--name",
        "a-name",
        &url(&outer),
        "libs/outer",
    ]);
    work.git(&["submodule", "--quiet", "update", "--init", "--recursive"]);
    work.commit("with outer");
    work
}

#[test]
fn submodules_are_laid_out_at_the_commit_that_each_side_records() {
    let ground = Ground::new();
    let work = with_submodules(&ground);
    let before = listing(&work.root);
    let outer = Work {
        root: work.root.join("libs/outer"),
    };
    outer.write("src/lib.rs", "// three\n").commit("three");
    work.commit("newer outer");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    assert_eq!(listing(&sides.base.root), before);
    assert_eq!(listing(&sides.head.root), listing(&work.root));
    assert_eq!(sides.head.notes, [] as [&str; 0]);
}

#[test]
fn uncommitted_changes_in_submodules_count() {
    let ground = Ground::new();
    let work = with_submodules(&ground);
    work.write("libs/outer/src/lib.rs", "// uncommitted\n")
        .write("libs/outer/deep/inner/new.rs", "");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1", &scratch);
    assert_eq!(listing(&sides.head.root), listing(&work.root));
}

#[test]
fn a_submodule_that_is_not_initialised_is_said_to_be_empty() {
    let ground = Ground::new();
    with_submodules(&ground);
    let clone = ["clone", "--quiet", "work", "plain"];
    Work {
        root: ground.path(""),
    }
    .git(&clone);
    let work = Work {
        root: ground.path("plain"),
    };
    work.commit("four");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    assert_eq!(
        sides.head.notes,
        [
            "the submodule libs/outer is left empty: it is not initialised (git submodule update --init)"
        ]
    );
}

#[test]
fn large_files_kept_elsewhere_are_brought_or_named() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let id = "a".repeat(64);
    let missing = "b".repeat(64);
    let pointer =
        |id: &str| format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize 4\n");
    work.write("here.bin", &pointer(&id))
        .write("elsewhere.bin", &pointer(&missing))
        .write(".gitattributes", "*.bin filter=lfs -text\n")
        .write(&format!(".git/lfs/objects/aa/aa/{id}"), "data")
        .commit("three");
    // As the filter leaves it in a checkout.
    work.write("elsewhere.bin", "real");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~0", &scratch);
    let read = |side: &Checkout, name: &str| {
        std::fs::read_to_string(side.root.join(name)).expect("a file")
    };
    assert_eq!(read(&sides.base, "here.bin"), "data");
    assert_eq!(read(&sides.base, "elsewhere.bin"), pointer(&missing));
    assert_eq!(
        sides.base.notes,
        ["laid out as git stores them: 1 file of the filter `lfs`, such as elsewhere.bin"]
    );
    assert_eq!(read(&sides.head, "elsewhere.bin"), "real");
    assert_eq!(sides.head.notes, [] as [&str; 0]);
}

#[test]
fn a_file_that_is_laid_on_both_sides_is_no_change() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    let put = |checkout: &Checkout, text: &str| {
        std::fs::write(checkout.root.join("Cargo.lock"), text).expect("written");
    };
    put(&sides.base, "version = 4\n");
    put(&sides.head, "version = 4\n");
    let changed = || {
        let paths = changed_paths(sides.as_ref()).expect("the repositories are there");
        let heads = paths.into_iter().filter_map(|paths| paths.head);
        heads.collect::<Vec<PathBuf>>()
    };
    assert_eq!(changed(), [Path::new("src/lib.rs")]);
    put(&sides.head, "version = 3\n");
    assert_eq!(
        changed(),
        [Path::new("Cargo.lock"), Path::new("src/lib.rs")]
    );
}
