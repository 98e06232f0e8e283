use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fs_err as fs;

use super::*;
use crate::revision::{Revision, Source};
use crate::units::Event;

/// Two checkouts in a run's folder, and beside them a crate that both depend on.
struct World {
    _temp: tempfile::TempDir,
    scratch: Scratch,
    users: PathBuf,
    outside: PathBuf,
    events: Mutex<Vec<Event>>,
}

const LIB: &str = "pub fn work(n: u64) -> u64 { outside::seed() + (0..n).sum::<u64>() }\n";
const BENCH: &str = "fn main() { println!(\"{}\", demo::work(3)); }\n";

impl World {
    fn new() -> World {
        let temp = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(&temp.path().join("cache"), None).unwrap();
        let users = temp.path().join("user/project");
        fs::create_dir_all(&users).unwrap();
        let world = World {
            users,
            outside: temp.path().join("outside"),
            _temp: temp,
            scratch,
            events: Mutex::default(),
        };
        let outside = &world.outside;
        write(
            outside,
            "Cargo.toml",
            "[package]\nname = \"outside\"\nversion = \"1.2.3\"\nedition = \"2021\"\n",
        );
        write(outside, "src/lib.rs", "pub fn seed() -> u64 { 40 }\n");
        for side in Side::BOTH {
            world.put(side, "Cargo.toml", &world.manifest(""));
            world.put(side, "src/lib.rs", LIB);
            world.put(side, "benches/speed.rs", BENCH);
        }
        world
    }

    fn manifest(&self, more: &str) -> String {
        format!(
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
             [dependencies]\noutside = {{ path = \"{}\" }}\n\
             [[bench]]\nname = \"speed\"\nharness = false\n{more}\n[workspace]\n",
            self.outside.display()
        )
    }

    fn root(&self, side: Side) -> PathBuf {
        self.scratch.path().join(side.name())
    }

    fn put(&self, side: Side, name: &str, text: &str) {
        write(&self.root(side), name, text);
    }

    fn put_both(&self, name: &str, text: &str) {
        for side in Side::BOTH {
            self.put(side, name, text);
        }
    }

    fn checkouts(&self) -> Paired<Checkout> {
        Paired::from_fn(|side| Checkout {
            revision: Revision {
                label: side.name().to_owned(),
                commit: "c0ffee0c0ffee0".to_owned(),
                short_id: "c0ffee0".to_owned(),
                subject: "a change".to_owned(),
                committed_at: 0,
                source: Source::Commit,
            },
            original_root: self.users.clone(),
            root: self.root(side),
            manifest_path: self.root(side).join("Cargo.toml"),
            notes: Vec::new(),
        })
    }

    fn build(&self, selection: &Selection) -> Result<Paired<Build>, BuildError> {
        let sink = |event| self.events.lock().unwrap().push(event);
        build_selected(&self.checkouts(), selection, &self.scratch, &sink)
    }

    fn compiled(&self, on: Side) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let crates = events.iter().filter_map(|event| match event {
            Event::Compiled { side, krate, .. } if *side == on => Some(krate.clone()),
            _ => None,
        });
        crates.collect()
    }
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn selection() -> Selection {
    Selection {
        offline: true,
        ..Selection::default()
    }
}

fn output(executable: &Executable) -> String {
    let output = std::process::Command::new(&executable.path)
        .envs(executable.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&executable.working_dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn only(build: &Build) -> &Executable {
    let [executable] = build.executables.as_slice() else {
        panic!("{:?}", build.executables);
    };
    executable
}

#[test]
fn both_sides_are_built_from_their_own_source_and_dependencies_once() {
    let world = World::new();
    world.put(
        Side::Head,
        "src/lib.rs",
        &LIB.replace("outside::seed()", "2 + outside::seed()"),
    );
    let builds = world.build(&selection()).unwrap();
    assert_eq!(output(only(&builds.base)), "43");
    assert_eq!(output(only(&builds.head)), "45");
    let lengths = builds
        .as_ref()
        .map(|build| only(build).path.as_os_str().len());
    assert_eq!(lengths.base, lengths.head);
    assert_eq!(world.compiled(Side::Base), ["outside", "demo"]);
    // Cargo reports a fresh package, too; that the copy was used shows in the time stamp.
    let rlib = |build: &Build| {
        let deps = build.target_dir.join("release/deps");
        let mut entries = fs::read_dir(deps)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let found = entries.find(|path| {
            path.to_string_lossy().ends_with(".rlib")
                && path.to_string_lossy().contains("liboutside")
        });
        fs::metadata(found.unwrap()).unwrap().modified().unwrap()
    };
    assert_eq!(
        rlib(&builds.base),
        rlib(&builds.head),
        "the dependency was compiled twice"
    );
    assert_eq!(builds.base.toolchain, builds.head.toolchain);
    assert!(builds.base.toolchain.host.contains('-'));
    assert_eq!(builds.base.locked["outside"], ["1.2.3"]);
}

#[test]
fn the_same_source_gives_executables_that_differ_in_the_side_s_name_alone() {
    let world = World::new();
    world.put_both(
        "src/lib.rs",
        &format!("{LIB}pub fn boom(x: Option<u8>) -> u8 {{ x.unwrap() }}\n"),
    );
    world.put_both(
        "benches/speed.rs",
        "fn main() { println!(\"{}\", demo::boom(Some(std::env::args().count() as u8))); }",
    );
    let builds = world.build(&selection()).unwrap();
    let name = |build: &Build| only(build).path.file_name().unwrap().to_owned();
    assert_eq!(
        name(&builds.base),
        name(&builds.head),
        "cargo's hashes differ"
    );
    let text = |build: &Build| {
        use object::{Object, ObjectSection};
        let bytes = fs::read(&only(build).path).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        file.section_by_name(".text")
            .unwrap()
            .data()
            .unwrap()
            .to_vec()
    };
    assert!(text(&builds.base) == text(&builds.head), "the code differs");
}
