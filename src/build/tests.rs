use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fs_err as fs;

use super::*;
use crate::build::rustc_wrapper::CrateNames;
use crate::revision::{Revision, Source};
use crate::units::{Bytes, Event};

/// Two checkouts in a run's folder, and beside them a crate that both depend on.
pub(super) struct World {
    _temp: tempfile::TempDir,
    pub(super) scratch: Scratch,
    users: PathBuf,
    outside: PathBuf,
    pub(super) events: Mutex<Vec<Event>>,
}

pub(super) const LIB: &str =
    "pub fn work(n: u64) -> u64 { outside::seed() + (0..n).sum::<u64>() }\n";
pub(super) const BENCH: &str = "fn main() { println!(\"{}\", demo::work(3)); }\n";

impl World {
    pub(super) fn new() -> World {
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
        world.lay_out();
        world
    }

    /// Both sides' checkouts, alike.
    pub(super) fn lay_out(&self) {
        self.put_both("Cargo.toml", &self.manifest(""));
        self.put_both("src/lib.rs", LIB);
        self.put_both("benches/speed.rs", BENCH);
    }

    pub(super) fn manifest(&self, more: &str) -> String {
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

    pub(super) fn put(&self, side: Side, name: &str, text: &str) {
        write(&self.root(side), name, text);
    }

    pub(super) fn put_both(&self, name: &str, text: &str) {
        for side in Side::BOTH {
            self.put(side, name, text);
        }
    }

    pub(super) fn checkouts(&self) -> Paired<Checkout> {
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
        build_selected(&self.checkouts(), selection, None, &self.scratch, &sink)
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

pub(super) fn selection() -> Selection {
    Selection {
        offline: true,
        ..Selection::default()
    }
}

pub(super) fn output(executable: &Executable) -> String {
    let output = std::process::Command::new(&executable.path)
        .envs(executable.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&executable.working_dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(super) fn only(build: &Build) -> &Executable {
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

#[test]
fn an_executable_that_cargo_took_from_the_other_side_is_refused() {
    let world = World::new();
    world.put(
        Side::Head,
        "src/lib.rs",
        &LIB.replace("outside::seed()", "2 + outside::seed()"),
    );
    let checkouts = world.checkouts();
    let site = |side| {
        BuildSite::open(
            &world.scratch,
            side,
            checkouts.get(side),
            &Rustup::default(),
        )
        .unwrap()
    };
    let (base, head) = (site(Side::Base), site(Side::Head));
    let selection = selection();
    let wish = Wish {
        lock_file: LockFile::Tracked,
        resolved: None,
        names: CrateNames::Cargo,
        start: None,
        selection: &selection,
        kept: None,
    };
    let build = |site: &BuildSite<'_>| site.build(&wish, &|_| ());
    let built = build(&base).unwrap();
    // The trap: a whole copy, time stamps included, newer than the head side's source.
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(&built.target_dir)
        .arg(world.scratch.path().join("target/head"))
        .status();
    assert!(copied.unwrap().success());
    match build(&head) {
        Err(BuildError::Stale { at, reason, .. }) => {
            assert_eq!(at.side, Side::Head);
            assert!(reason.contains("earlier build"), "{reason}");
        }
        other => panic!("the other side's executable was taken: {other:?}"),
    }
}

#[test]
fn a_side_that_does_not_compile_is_named_with_the_compiler_s_own_words() {
    let world = World::new();
    world.put(
        Side::Head,
        "src/lib.rs",
        "pub fn work(n: u64) -> u64 { missing(n) }\n",
    );
    let error = world.build(&selection()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the head side (c0ffee0) does not compile"),
        "{text}"
    );
    assert!(
        text.contains("error[E0425]") && text.contains("src/lib.rs:1:"),
        "{text}"
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.ends_with(
            "git switch --detach c0ffee0 && cargo bench --no-run --bench speed --offline"
        ),
        "{hint}"
    );
}

#[test]
fn a_package_that_one_side_lacks_is_named_with_near_names() {
    let world = World::new();
    world.put(
        Side::Head,
        "Cargo.toml",
        &world.manifest("").replace("\"demo\"", "\"demon\""),
    );
    let packages = vec!["demon".to_owned()];
    let error = world
        .build(&Selection {
            packages,
            ..selection()
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the base side (c0ffee0) has no package `demon`"
    );
    assert_eq!(error.hint().unwrap(), "did you mean `-p demo`?");
}

#[test]
fn a_missing_manifest_is_named_from_the_repository_s_root() {
    let world = World::new();
    fs::remove_file(world.root(Side::Base).join("Cargo.toml")).unwrap();
    let error = world.build(&selection()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the base side (c0ffee0) has no Cargo.toml"
    );
}

#[test]
fn a_bench_target_of_one_side_is_built_there_and_one_of_neither_is_an_error() {
    let world = World::new();
    world.put(
        Side::Head,
        "Cargo.toml",
        &world.manifest("[[bench]]\nname = \"fresh\"\nharness = false"),
    );
    world.put(Side::Head, "benches/fresh.rs", BENCH);
    let benches = |name: &str| Selection {
        benches: vec![name.to_owned()],
        ..selection()
    };
    let builds = world.build(&benches("fresh")).unwrap();
    assert!(builds.base.executables.is_empty());
    assert_eq!(only(&builds.head).target, "fresh");

    let error = world.build(&benches("frash")).unwrap_err();
    assert_eq!(error.to_string(), "neither side has a bench target `frash`");
    assert_eq!(error.hint().unwrap(), "did you mean `--bench fresh`?");
}

#[test]
fn a_workspace_without_bench_targets_is_an_error_with_a_hint() {
    let world = World::new();
    for side in Side::BOTH {
        fs::remove_dir_all(world.root(side).join("benches")).unwrap();
    }
    let manifest = world
        .manifest("")
        .replace("[[bench]]\nname = \"speed\"\nharness = false", "");
    world.put_both("Cargo.toml", &manifest);
    let error = world.build(&selection()).unwrap_err();
    assert!(matches!(error, BuildError::NoBenchTargets), "{error}");
    assert!(error.hint().unwrap().contains("--workspace"));
}

#[test]
fn a_dependency_by_a_path_outside_the_repository_is_named_before_anything_is_built() {
    let world = World::new();
    world.put_both(
        "Cargo.toml",
        &world.manifest("[dependencies.sibling]\npath = \"../sibling\""),
    );
    let error = world.build(&selection()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`demo` depends on `sibling`") && text.contains("user/sibling"),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("into the repository"));
    assert!(!world.scratch.path().join("target").exists());
}

#[test]
fn bench_targets_without_their_features_are_listed_and_built_with_them() {
    let world = World::new();
    world.put_both(
        "Cargo.toml",
        &world.manifest(
            "[[bench]]\nname = \"extra\"\nharness = false\nrequired-features = [\"more\"]\n\
             [[bench]]\nname = \"off\"\nharness = false\nbench = false\n[features]\nmore = []",
        ),
    );
    world.put_both("benches/extra.rs", BENCH);
    world.put_both("benches/off.rs", BENCH);
    let targets = |build: &Build| {
        let names = build.executables.iter().map(|e| e.target.clone());
        names.collect::<Vec<_>>()
    };
    let builds = world.build(&selection()).unwrap();
    assert_eq!(targets(&builds.head), ["speed"]);
    let unbuilt: Vec<_> = builds
        .head
        .unbuilt
        .iter()
        .map(|u| (&*u.target, &*u.reason))
        .collect();
    let off = "switched off in its manifest (`bench = false`)";
    assert_eq!(
        unbuilt,
        [("extra", "needs the features more"), ("off", off)]
    );

    let all_features = true;
    let builds = world
        .build(&Selection {
            all_features,
            ..selection()
        })
        .unwrap();
    assert_eq!(targets(&builds.head), ["extra", "speed"]);
}

#[test]
fn an_inherited_profile_that_strips_and_optimises_all_at_once_still_gives_symbols_and_lines() {
    use object::{Object, ObjectSection};
    let world = World::new();
    let settings = "inherits = \"release\"\nstrip = true\ndebug = false\nlto = \"fat\"\npanic = \"abort\"\n\
                    codegen-units = 1\noverflow-checks = true";
    let profiles = format!("[profile.fast]\n{settings}\n[profile.very-fast]\ninherits = \"fast\"");
    world.put_both("Cargo.toml", &world.manifest(&profiles));
    let profile = Some("very-fast".to_owned());
    let builds = world
        .build(&Selection {
            profile,
            ..selection()
        })
        .unwrap();
    assert_eq!(builds.head.profile, "very-fast");
    for side in Side::BOTH {
        let bytes = fs::read(&only(builds.get(side)).path).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let size = |name| {
            file.section_by_name(name)
                .map_or(0, |section| section.size())
        };
        assert!(size(".symtab") > 0 && size(".debug_line") > 0, "{side}");
        assert_eq!(output(only(builds.get(side))), "43");
    }
}

#[test]
fn settings_for_dependencies_take_no_lines_from_crates_of_the_repository() {
    use object::{Object, ObjectSection};
    let world = World::new();
    world.put_both(
        "inner/Cargo.toml",
        "[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    world.put_both(
        "inner/src/lib.rs",
        "#[inline(never)]\npub fn one() -> u64 { 1 }\n",
    );
    world.put_both(
        "src/lib.rs",
        &LIB.replace("outside::seed()", "inner::one() + outside::seed()"),
    );
    let settings = "[dependencies.inner]\npath = \"inner\"\n\
                    [profile.release.package.\"*\"]\ndebug = false\n\
                    [profile.bench.package.demo]\nstrip = true\ndebug = \"none\"\n";
    let manifest = world.manifest(settings) + "exclude = [\"inner\"]\n";
    world.put_both("Cargo.toml", &manifest);
    let builds = world.build(&selection()).unwrap();
    for side in Side::BOTH {
        let bytes = fs::read(&only(builds.get(side)).path).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let has_lines_of = |name: &str| {
            let mut sections = file.sections();
            sections.any(|section| {
                let of_lines = section.name().is_ok_and(|name| name.starts_with(".debug_"));
                let data = section.data().unwrap_or_default();
                of_lines && data.windows(name.len()).any(|part| part == name.as_bytes())
            })
        };
        assert!(has_lines_of("inner/src"), "{side}");
        assert!(has_lines_of("benches/speed.rs"), "{side}");
        assert!(!has_lines_of("outside/src"), "{side}");
        assert_eq!(output(only(builds.get(side))), "44");
    }
}

#[test]
fn without_a_tracked_lock_file_both_sides_use_the_user_s() {
    let world = World::new();
    let lock = "version = 3\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n\
                dependencies = [\"outside\"]\n\n[[package]]\nname = \"outside\"\nversion = \"1.2.3\"\n";
    fs::write(world.users.join("Cargo.lock"), lock).unwrap();
    let locked = true;
    let builds = world
        .build(&Selection {
            locked,
            ..selection()
        })
        .unwrap();
    for side in Side::BOTH {
        assert_eq!(builds.get(side).lock_file, LockFile::Shared);
        assert_eq!(
            fs::read_to_string(world.root(side).join("Cargo.lock")).unwrap(),
            lock
        );
    }
}

#[test]
fn without_any_lock_file_one_is_made_for_both_sides_unless_that_is_forbidden() {
    let world = World::new();
    let locked = true;
    let error = world
        .build(&Selection {
            locked,
            ..selection()
        })
        .unwrap_err();
    assert!(matches!(error, BuildError::LockFile { .. }), "{error}");

    let builds = world.build(&selection()).unwrap();
    assert_eq!(
        builds.as_ref().map(|build| build.lock_file),
        Paired::new(LockFile::Shared, LockFile::Shared)
    );
    let text = |side| fs::read_to_string(world.root(side).join("Cargo.lock")).unwrap();
    assert_eq!(text(Side::Base), text(Side::Head));
}

#[test]
fn a_lock_file_that_needs_an_update_is_refused_under_locked() {
    let world = World::new();
    world.put_both(
        "Cargo.lock",
        "version = 3\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n",
    );
    let locked = true;
    let error = world
        .build(&Selection {
            locked,
            ..selection()
        })
        .unwrap_err();
    assert!(matches!(error, BuildError::LockFile { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--locked"));
}

#[test]
fn benchmarks_get_the_environment_that_cargo_gives_them() {
    let world = World::new();
    world.put_both(
        "build.rs",
        "fn main() { println!(\"cargo:rustc-env=FROM_SCRIPT=said\"); }",
    );
    world.put_both(
        ".cargo/config.toml",
        "[env]\nFROM_CONFIG = \"set\"\nA_FOLDER = { value = \"data\", relative = true }",
    );
    world.put_both(
        "benches/speed.rs",
        "fn main() { for (name, value) in std::env::vars() {
            if name.starts_with(\"CARGO_PKG\") || name.starts_with(\"CARGO_MANIFEST\")
                || [\"OUT_DIR\", \"LD_LIBRARY_PATH\", \"FROM_SCRIPT\", \"FROM_CONFIG\", \"A_FOLDER\"]
                    .contains(&&*name) { println!(\"{name}={value}\"); }
        } println!(\"in {}\", std::env::current_dir().unwrap().display()); }",
    );
    let builds = world.build(&selection()).unwrap();
    let mut cargo = std::process::Command::new("cargo");
    crate::process::clean_env(&mut cargo);
    let run = cargo
        .args([
            "bench",
            "-q",
            "--offline",
            "--bench",
            "speed",
            "--target-dir",
        ])
        .arg(&builds.head.target_dir)
        .env("CARGO_PROFILE_BENCH_DEBUG", "1")
        .env("CARGO_PROFILE_BENCH_STRIP", "none")
        .env("CARGO_PROFILE_BENCH_SPLIT_DEBUGINFO", "off")
        .current_dir(world.root(Side::Head))
        .output()
        .unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let by_cargo = sorted(&String::from_utf8(run.stdout).unwrap());
    let by_us = sorted(&output(only(&builds.head)));
    // Cargo's children find the toolchain's libraries, too, where this test was started by it.
    let but_libraries = |lines: &[String]| -> Vec<String> {
        let others = lines
            .iter()
            .filter(|line| !line.starts_with("LD_LIBRARY_PATH"));
        others.cloned().collect()
    };
    assert_eq!(but_libraries(&by_us), but_libraries(&by_cargo));
    assert!(
        by_us.iter().any(|line| line == "FROM_SCRIPT=said"),
        "{by_us:?}"
    );
    // In which order differs between versions of cargo.
    let own_folders = |lines: &[String]| -> BTreeSet<String> {
        let paths = lines
            .iter()
            .find_map(|line| line.strip_prefix("LD_LIBRARY_PATH="));
        let own = world.scratch.path().to_string_lossy();
        let folders = paths.into_iter().flat_map(|paths| paths.split(':'));
        folders
            .filter(|folder| folder.starts_with(&*own))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(own_folders(&by_us), own_folders(&by_cargo));
    assert_eq!(own_folders(&by_us).len(), 2);
}

#[test]
fn the_version_of_criterion_is_found_under_another_name_and_behind_a_wrapper() {
    let world = World::new();
    let criterion = world.outside.with_file_name("criterion");
    write(
        &criterion,
        "Cargo.toml",
        "[package]\nname = \"criterion\"\nversion = \"0.5.1\"\nedition = \"2021\"\n",
    );
    write(&criterion, "src/lib.rs", "");
    let renamed = format!(
        "[dev-dependencies]\nspeedy = {{ package = \"criterion\", path = \"{}\" }}",
        criterion.display()
    );
    world.put(Side::Base, "Cargo.toml", &world.manifest(&renamed));
    let wrapper = "[dev-dependencies]\nwrapper = { path = \"wrapper\" }";
    world.put(Side::Head, "Cargo.toml", &world.manifest(wrapper));
    let wrapped = format!(
        "[package]\nname = \"wrapper\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
         [dependencies]\ncriterion = {{ path = \"{}\" }}",
        criterion.display()
    );
    world.put(Side::Head, "wrapper/Cargo.toml", &wrapped);
    world.put(Side::Head, "wrapper/src/lib.rs", "");
    let builds = world.build(&selection()).unwrap();
    for side in Side::BOTH {
        assert_eq!(
            only(builds.get(side)).criterion,
            Some(CriterionPackage::itself("0.5.1")),
            "{side}"
        );
    }
}

#[test]
fn programs_are_built_for_release_and_their_sizes_told_side_by_side() {
    let world = World::new();
    // Both have `serve`, which grows by a megabyte; only the head side has `extra`.
    world.put_both("src/bin/serve.rs", "fn main() { println!(\"serving\"); }\n");
    world.put(
        Side::Head,
        "src/bin/serve.rs",
        "static DATA: [u8; 1 << 20] = [7; 1 << 20];\n\
         fn main() { println!(\"{}\", DATA[std::env::args().count()]); }\n",
    );
    world.put(Side::Head, "src/bin/extra.rs", "fn main() {}\n");
    let builds = world.build(&selection()).unwrap();
    let sizes = binary_sizes(&builds, &selection(), &world.scratch, &|_| {}).unwrap();
    let names: Vec<&str> = sizes.iter().map(|size| size.name.as_str()).collect();
    assert_eq!(names, ["extra", "serve"]);
    assert!(sizes[0].size.base.is_none() && sizes[0].size.head.is_some());
    let bytes = |size: Option<Bytes>| size.unwrap().as_bytes();
    let serve = sizes[1].size;
    assert!(bytes(serve.head) > bytes(serve.base) + 900_000, "{sizes:?}");
    // The benchmarks are still there, and still what they were.
    assert_eq!(output(only(&builds.base)), "43");
}

#[test]
fn a_workspace_without_programs_has_no_sizes() {
    let world = World::new();
    let builds = world.build(&selection()).unwrap();
    let sizes = binary_sizes(&builds, &selection(), &world.scratch, &|_| {}).unwrap();
    assert_eq!(sizes, []);
}

#[test]
fn a_toolchain_that_is_not_there_is_refused_by_the_name_that_was_chosen() {
    let world = World::new();
    let checkouts = world.checkouts();
    let choice = |origin| ChosenToolchain {
        name: "1.2.3".to_owned(),
        origin,
    };
    let typed = |origin| {
        let choice = choice(origin);
        let tools = tool::Tools::new(&world.scratch, Side::Head, &checkouts.head);
        tools
            .of_toolchain(Some(&choice))
            .typed(&tool::Ask::new("rustc", ["-vV"]))
    };
    assert_eq!(typed(Chooser::Variable), "rustc +1.2.3 -vV");
    assert_eq!(typed(Chooser::Default), "rustc -vV");
}
