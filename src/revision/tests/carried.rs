//! Files that git does not track.

use super::*;
use crate::plan::Carry;

fn patterns(texts: &[&str]) -> Vec<Carry> {
    let parsed = texts.iter().map(|text| text.parse());
    parsed.collect::<Result<_, _>>().expect("patterns")
}

#[test]
fn what_git_does_not_track_is_brought_to_both_sides_where_it_is_asked_for() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.write(".gitignore", "/data\n.env\ntarget\n")
        .write("bench/shared.txt", "of the revision")
        .commit("ignore");
    work.write("src/lib.rs", "// three\n").commit("three");
    work.write("bench/shared.txt", "changed");
    work.write("data/a/words.txt", "words")
        .write("data/b.bin", "12345678")
        .write("bench/.env", "KEY=1")
        .write(
            "target/CACHEDIR.TAG",
            "Signature: 8a477f597d28d172789f06886806bc55",
        )
        .write("target/.env", "no");
    work.write("../elsewhere/linked.txt", "linked");
    work.link("../../elsewhere", "data/link");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    let carried = carry(
        &sides,
        &patterns(&["data/**", ".env", "bench/*.txt", "none/*"]),
    );
    let carried = carried.expect("carried");
    for side in [&sides.base, &sides.head] {
        let read = |path: &str| std::fs::read_to_string(side.root.join(path)).ok();
        assert_eq!(read("data/a/words.txt").as_deref(), Some("words"));
        assert_eq!(read("data/b.bin").as_deref(), Some("12345678"));
        assert_eq!(read("bench/.env").as_deref(), Some("KEY=1"));
        // Never through a link, which would lead back.
        assert_eq!(read("data/link/linked.txt").as_deref(), Some("linked"));
        assert!(!side.root.join("data/link").is_symlink());
        assert_eq!(read("target/.env"), None);
        assert_eq!(read("bench/shared.txt").as_deref(), Some("of the revision"));
    }
    assert_eq!(
        carried.patterns,
        ["data/** (3 files, 19 B)", ".env (1 file, 5 B)"]
    );
    assert_eq!(carried.notes.len(), 2, "{carried:?}");
    assert_eq!(changed_paths(sides.as_ref()).expect("the diff").len(), 1);
}

#[test]
fn a_failure_that_names_a_file_of_the_checkout_alone_is_told_which() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.write(".gitignore", "/data\n.env\n").commit("ignore");
    work.commit("two");
    work.write("data/words.txt", "").write("bench/.env", "");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    let side = &sides.head;
    let bench = side.root.join("bench");
    let named = |words: &str| left_behind(words, side, &[&bench]);
    let words = Some(PathBuf::from("data/words.txt"));
    assert_eq!(named("couldn't read `data/words.txt`: No such file"), words);
    assert_eq!(named("../data/words.txt: os error 2"), words);
    assert_eq!(
        named(&format!("open {}/data/words.txt.", side.root.display())),
        words
    );
    assert_eq!(named("no \".env\" here"), Some("bench/.env".into()));
    assert_eq!(
        named("thread 'main' panicked at src/lib.rs:3:5, see /etc/passwd"),
        None
    );
    assert_eq!(named("data/other.txt is missing"), None);
    work.write("data/words.txt", "")
        .git(&["add", "--force", "data/words.txt"]);
    assert_eq!(
        named("data/words.txt"),
        None,
        "it is tracked: the revision lacks it on purpose"
    );
}

#[test]
fn what_a_source_names_and_git_ignores_is_found_whether_the_checkout_has_it_or_not() {
    let ground = Ground::new();
    let work = ground.repository("work");
    work.write(".gitignore", "bench_data/\n*.bin\n")
        .commit("ignore");
    work.commit("two");
    let scratch = ground.scratch();
    let sides = work.check_out("HEAD~1..HEAD", &scratch);
    let bench = sides.head.root.join("bench");
    let named = |source: &str| ignored_input(source, &sides.head, &bench);
    let folder = Some(PathBuf::from("bench/bench_data"));
    let group = "c.benchmark_group(\"self\");\n";
    assert_eq!(named(&format!("{group}read_dir(\"bench_data\")")), folder);
    assert_eq!(
        named("open(\"../words.bin\")"),
        Some(PathBuf::from("words.bin"))
    );
    assert_eq!(named(&format!("{group}read_dir(\"data\")")), None);
    assert_eq!(named("read_dir(\"/bench_data\")"), None);
    work.write("bench/bench_data/a.css", "");
    assert_eq!(named("read_dir(\"bench_data\")"), folder);
}
