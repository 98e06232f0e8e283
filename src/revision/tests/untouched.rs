use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use super::*;

/// Everything below a folder: mode, time of the last change of content and of anything, content.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, i128, i128, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        for path in paths.chain([folder.clone()]) {
            let metadata = std::fs::symlink_metadata(&path).expect("it is there");
            let content = if metadata.is_file() {
                std::fs::read(&path).expect("a file")
            } else if metadata.is_symlink() {
                let target = std::fs::read_link(&path).expect("a link");
                target.into_os_string().into_encoded_bytes()
            } else {
                Vec::new()
            };
            let nanos = |s: i64, n: i64| i128::from(s) * 1_000_000_000 + i128::from(n);
            let changed = nanos(metadata.mtime(), metadata.mtime_nsec());
            let touched = nanos(metadata.ctime(), metadata.ctime_nsec());
            if metadata.is_dir() && path != folder {
                folders.push(path.clone());
            }
            all.insert(path, (metadata.mode(), changed, touched, content));
        }
    }
    all
}

#[test]
fn the_users_checkout_and_repository_are_what_they_were_to_the_byte() {
    let ground = Ground::new();
    let inner = ground.repository("inner");
    let work = ground.repository("work");
    let url = format!("file://{}", inner.root.display());
    work.git(&["submodule", "--quiet", "add", &url, "sub"]);
    work.write(
        ".git/hooks/post-checkout",
        "#!/bin/sh\ntouch \"$(git rev-parse --show-toplevel)/hooked\"\n",
    );
    work.git(&["config", "core.hooksPath", ".git/hooks"]);
    work.commit("three");
    work.write("src/lib.rs", "// stashed\n");
    work.git(&["stash"]);
    work.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    work.write("src/lib.rs", "// staged\n")
        .git(&["add", "--all"]);
    work.write("src/lib.rs", "// not staged\n")
        .write("untracked.rs", "");
    // An index whose cached times are stale: a careless reader refreshes it.
    std::fs::File::open(work.root.join("Cargo.toml"))
        .and_then(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH))
        .expect("touched");
    let before = everything(&work.root);
    let linked_before = everything(&ground.path("linked"));
    let linked = Work {
        root: ground.path("linked"),
    };

    let scratch = ground.scratch();
    work.check_out("HEAD~1", &scratch);
    drop(scratch);
    let scratch = ground.scratch();
    work.check_out("", &scratch);
    drop(scratch);
    let scratch = ground.scratch();
    linked.check_out("HEAD~1..HEAD", &scratch);
    drop(scratch);
    assert!(work.resolve("no-such-name").is_err());

    let after = everything(&work.root);
    let names = |map: &BTreeMap<PathBuf, _>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    for (path, was) in &before {
        assert_eq!(Some(was), after.get(path), "{} changed", path.display());
    }
    assert!(
        linked_before == everything(&linked.root),
        "the linked worktree changed"
    );
}
