use super::*;

#[test]
fn every_way_to_name_a_commit_is_understood() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let (one, two) = (work.id("HEAD~1"), work.id("HEAD"));
    work.git(&["branch", "feature/a", "HEAD~1"]);
    work.git(&["tag", "light", "HEAD~1"]);
    work.git(&[
        "tag",
        "--annotate",
        "--message",
        "text",
        "annotated",
        "HEAD~1",
    ]);
    work.git(&["update-ref", "refs/remotes/origin/old", "HEAD~1"]);
    for name in [
        "HEAD~1",
        "HEAD^",
        "main~1",
        "feature/a",
        "light",
        "annotated",
        "refs/tags/annotated",
        "origin/old",
        one.as_str(),
        &one[..9],
    ] {
        let expected = (one.clone(), two.clone());
        assert_eq!(work.ids(&format!("{name}..HEAD")), expected, "{name}");
        assert_eq!(work.ids(&format!("{name}..")), expected, "{name}");
        assert_eq!(work.ids(name), expected, "{name}");
    }
}

#[test]
fn revisions_say_what_they_are() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let Resolved {
        root,
        manifests,
        revisions,
    } = work.resolve("HEAD~1").expect("two revisions");
    assert_eq!(root, work.root);
    assert_eq!(manifests.base, Path::new("Cargo.toml"));
    assert_eq!(revisions.base.label, "HEAD~1");
    assert_eq!(revisions.base.subject, "one");
    assert_eq!(revisions.base.source, Source::Commit);
    assert!(revisions.base.commit.starts_with(&revisions.base.short_id));
    assert!(revisions.base.short_id.len() >= 7);
    assert_eq!(revisions.head.label, "working tree");
    assert_eq!(revisions.head.subject, "two");
    assert_eq!(revisions.head.source, Source::WorkingTree);
}

#[test]
fn three_dots_start_where_the_branches_parted() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let fork = work.id("HEAD");
    work.git(&["switch", "--quiet", "--create", "feature"]);
    let head = work.commit("feature");
    work.git(&["switch", "--quiet", "main"]);
    work.commit("main goes on");
    assert_eq!(work.ids("main...feature"), (fork, head));
    let resolved = work.resolve("main...feature").expect("two revisions");
    assert_eq!(
        resolved.revisions.base.label,
        "merge base of main and feature"
    );
}

#[test]
fn no_range_means_from_the_default_branch_to_the_working_tree() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let fork = work.id("HEAD");
    work.git(&["switch", "--quiet", "--create", "feature"]);
    let head = work.commit("feature");
    assert_eq!(work.ids(""), (fork, head));
}

#[test]
fn the_remote_says_which_branch_is_the_default_one() {
    let ground = Ground::new();
    let origin = ground.repository("origin");
    origin.git(&["branch", "--move", "trunk"]);
    let fork = origin.id("HEAD");
    let work = Work {
        root: ground.path("work"),
    };
    origin.git(&["clone", "--quiet", ".", "../work"]);
    let head = work.commit("on trunk, not pushed");
    assert_eq!(work.ids(""), (fork, head));
    let resolved = work.resolve("").expect("two revisions");
    assert_eq!(
        resolved.revisions.base.label,
        "merge base of origin/trunk and HEAD"
    );
}

#[test]
fn the_later_fork_point_counts_where_the_remote_lags_behind() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&["update-ref", "refs/remotes/origin/main", "HEAD~1"]);
    let fork = work.id("HEAD");
    work.git(&["switch", "--quiet", "--create", "feature"]);
    let head = work.commit("feature");
    assert_eq!(work.ids(""), (fork, head));
}

#[test]
fn a_detached_head_is_a_head() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&["switch", "--quiet", "--detach", "HEAD"]);
    assert_eq!(work.ids("HEAD~1..").1, work.id("main"));
    work.commit("detached");
    assert_eq!(work.ids("").0, work.id("main"));
}

#[test]
fn a_workspace_may_lie_in_a_folder_of_its_repository() {
    let ground = Ground::new();
    let work = ground.empty_repository("work");
    work.write("rust/Cargo.toml", MANIFEST).commit("one");
    work.commit("two");
    let manifest = work.root.join("rust/Cargo.toml");
    let resolved = resolve(&manifest, &RangeSpec::parse(Some("HEAD~1..HEAD"))).expect("resolved");
    assert_eq!(resolved.root, work.root);
    assert_eq!(resolved.manifests.head, Path::new("rust/Cargo.toml"));
}

#[test]
fn a_package_that_moved_is_found_by_its_name() {
    let ground = Ground::new();
    let work = ground.empty_repository("work");
    work.write("Cargo.toml", "[workspace]\nmembers = [\"*\"]\n");
    work.write("sample/Cargo.toml", MANIFEST).commit("one");
    work.git(&["mv", "sample", "moved"]);
    let new = MANIFEST.replace("sample", "fresh");
    work.write("fresh/Cargo.toml", &new).commit("two");
    let range = RangeSpec::parse(Some("HEAD~1..HEAD"));
    let resolved = resolve(&work.root.join("moved/Cargo.toml"), &range).expect("resolved");
    assert_eq!(resolved.manifests.base, Path::new("sample/Cargo.toml"));
    assert_eq!(resolved.manifests.head, Path::new("moved/Cargo.toml"));
    let error = resolve(&work.root.join("fresh/Cargo.toml"), &range).expect_err("it is new");
    assert!(
        error.to_string().contains("has no fresh/Cargo.toml"),
        "{error}"
    );
    let hint = error.hint().expect("a hint");
    assert!(hint.ends_with("--manifest-path Cargo.toml"), "{hint}");
}

#[test]
fn a_linked_worktree_has_its_own_head() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "side",
        "../linked",
        "HEAD~1",
    ]);
    let linked = Work {
        root: ground.path("linked"),
    };
    let head = linked.commit("in the linked worktree");
    assert_eq!(linked.ids("main..HEAD"), (work.id("main"), head));
    assert_eq!(linked.resolve("main").expect("resolved").root, linked.root);
}

#[test]
fn a_revision_can_be_compared_with_itself_on_purpose_only() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let manifest = work.root.join("Cargo.toml");
    let resolved = resolve_with_itself(&manifest, "main").expect("resolved");
    assert_eq!(resolved.revisions.base, resolved.revisions.head);

    let (message, hint) = work.error("main..HEAD");
    assert!(
        message.starts_with("`main` and `HEAD` are the same commit"),
        "{message}"
    );
    assert!(hint.contains("cargo perfcheck HEAD~1"), "{hint}");
}

#[test]
fn a_working_tree_without_changes_is_nothing_to_compare() {
    let ground = Ground::new();
    let work = ground.repository("work");
    let (message, _) = work.error("HEAD");
    assert!(
        message.starts_with("the working tree has no changes since HEAD"),
        "{message}"
    );
    work.write("src/new.rs", "");
    assert!(work.resolve("HEAD").is_ok());
}

#[test]
fn an_unknown_name_is_answered_with_near_ones() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&["branch", "feature/parser"]);
    work.git(&["update-ref", "refs/remotes/origin/release", "HEAD"]);
    let hint_for = |name: &str| {
        let (message, hint) = work.error(name);
        assert_eq!(message, format!("unknown revision `{name}`"));
        hint
    };
    assert_eq!(hint_for("mian"), "did you mean main?");
    assert_eq!(hint_for("parser"), "did you mean feature/parser?");
    assert_eq!(hint_for("release"), "did you mean origin/release?");
    assert_eq!(hint_for("mian~2"), "did you mean main?");
    assert_eq!(hint_for("HAED~2"), "did you mean HEAD?");
    assert_eq!(hint_for("master"), "did you mean main?");
    assert!(hint_for("zzzzzz").contains("git branch --all"));
}

#[test]
fn a_file_is_not_a_commit() {
    let ground = Ground::new();
    let work = ground.repository("work");
    assert_eq!(
        work.error("HEAD:src").0,
        "`HEAD:src` is a folder, not a commit"
    );
    assert_eq!(
        work.error("HEAD:Cargo.toml").0,
        "`HEAD:Cargo.toml` is a file, not a commit"
    );
}

#[test]
fn an_ambiguous_id_is_answered_with_longer_ones() {
    let ground = Ground::new();
    let work = ground.repository("work");
    // Some two of 1,500 commits share four digits: 16 bits, so all but surely.
    let input: String = (0..1500)
        .map(|i| format!("commit refs/heads/many\ncommitter A <a@b> {i} +0000\ndata 0\n\n"))
        .collect();
    let stream = ground.path("stream");
    std::fs::write(&stream, input).expect("a file");
    let imported = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(&work.root)
        .stdin(std::fs::File::open(stream).expect("a file"))
        .status()
        .expect("git");
    assert!(imported.success());
    let ids = work.git(&["rev-list", "many"]);
    let mut ids: Vec<&str> = ids.lines().collect();
    ids.sort_unstable();
    let pair = ids.windows(2).find(|pair| pair[0][..4] == pair[1][..4]);
    let prefix = &pair.expect("two alike")[0][..4];
    let (message, hint) = work.error(prefix);
    assert_eq!(
        message,
        format!("`{prefix}` is the beginning of several commit ids")
    );
    assert!(hint.matches(prefix).count() >= 2, "{hint}");
}

#[test]
fn a_repository_without_commits_says_so() {
    let ground = Ground::new();
    let work = ground.empty_repository("work");
    work.write("Cargo.toml", MANIFEST);
    for range in ["", "HEAD", "HEAD~1..HEAD"] {
        let (message, hint) = work.error(range);
        assert!(
            message.ends_with("has no commits yet"),
            "{range}: {message}"
        );
        assert!(hint.contains("git commit"), "{hint}");
    }
}

#[test]
fn a_folder_outside_of_git_is_named() {
    let ground = Ground::new();
    std::fs::create_dir(ground.path("plain")).expect("a folder");
    let plain = Work {
        root: ground.path("plain"),
    };
    plain.write("Cargo.toml", MANIFEST);
    let (message, hint) = plain.error("main..HEAD");
    assert!(
        message.ends_with("plain is not in a git repository"),
        "{message}"
    );
    assert!(hint.contains("--manifest-path"), "{hint}");
}

#[test]
fn histories_without_a_common_commit_are_told_apart_from_shallow_ones() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.git(&["switch", "--quiet", "--orphan", "other"]);
    work.write("Cargo.toml", MANIFEST)
        .commit("another beginning");
    let (message, hint) = work.error("main...other");
    assert_eq!(message, "`main` and `other` have no common ancestor");
    assert!(hint.contains("cargo perfcheck main..other"), "{hint}");
}

#[test]
fn a_base_without_the_manifest_says_which_side_it_is() {
    let ground = Ground::new();
    let work = ground.empty_repository("work");
    work.write("README", "").commit("before Rust");
    work.write("Cargo.toml", MANIFEST).commit("Rust");
    let (message, _) = work.error("HEAD~1..HEAD");
    assert!(message.starts_with("base (HEAD~1, "), "{message}");
    assert!(message.ends_with("has no Cargo.toml"), "{message}");
}

/// A clone with one commit of history, as hosted CI makes them, and the origin.
fn shallow(ground: &Ground) -> (Work, Work) {
    let origin = ground.repository("origin");
    origin.git(&["switch", "--quiet", "--create", "feature"]);
    origin.write("src/lib.rs", "// feature\n").commit("feature");
    let url = format!("file://{}", origin.root.display());
    let clone = [
        "clone",
        "--quiet",
        "--depth=1",
        "--branch=feature",
        &url,
        "../shallow",
    ];
    origin.git(&clone);
    let shallow = Work {
        root: ground.path("shallow"),
    };
    (shallow, origin)
}

/// Runs the fetch that the hint names, and nothing else.
fn mend(work: &Work, hint: &str) {
    let words: Vec<&str> = hint.split(' ').collect();
    assert_eq!(words[..2], ["git", "fetch"], "{hint}");
    work.git(&words[1..]);
}

#[test]
fn the_fetch_named_for_a_shallow_clone_mends_it() {
    for range in [
        "main..HEAD",
        "origin/main..HEAD",
        "HEAD~1..HEAD",
        "HEAD~2..",
    ] {
        let ground = Ground::new();
        let (work, _origin) = shallow(&ground);
        let (message, hint) = work.error(range);
        assert!(
            message.ends_with("in a shallow clone"),
            "{range}: {message}"
        );
        mend(&work, &hint);
        assert!(work.resolve(range).is_ok(), "{range}: after {hint}");
    }
}

#[test]
fn a_full_id_beyond_the_shallow_end_can_be_fetched() {
    let ground = Ground::new();
    let (work, origin) = shallow(&ground);
    let range = format!("{}..HEAD", origin.id("main"));
    let (_, hint) = work.error(&range);
    mend(&work, &hint);
    assert!(work.resolve(&range).is_ok(), "after {hint}");
}

#[test]
fn the_fetch_named_for_a_merge_base_beyond_the_shallow_end_mends_it() {
    let ground = Ground::new();
    let (work, origin) = shallow(&ground);
    mend(&work, "git fetch --depth=1 origin main:main");
    let (message, hint) = work.error("main...HEAD");
    assert!(
        message.contains("is not in this shallow clone"),
        "{message}"
    );
    mend(&work, &hint);
    assert_eq!(work.ids("main...HEAD").0, origin.id("main"));
}
