//! Real builds with cargo, one after the other, in a folder that stays.

use std::time::SystemTime;

use super::super::tests::{LIB, World, only, output, selection};
use super::super::{Build, build_selected};
use super::*;
use crate::plan::Selection;
use crate::units::Event;

/// Enough for everything that is built here.
const BOUND: Cache = Cache::Bounded(Bytes::from_bytes(1_000_000_000));

/// Trees that stay beside the run's own folder.
fn places(world: &World) -> Places<'_> {
    Places {
        run: world.scratch.path(),
        store: None,
    }
}

/// Lays both sides out anew, changes something, and builds.
fn run(world: &World, selection: &Selection, change: impl Fn(&World)) -> Paired<Build> {
    world.lay_out();
    change(world);
    let checkouts = world.checkouts();
    let sink = |event| world.events.lock().unwrap().push(event);
    let kept = Kept::open(BOUND, places(world), &checkouts, &sink);
    let kept = kept.unwrap().expect("nobody else is there");
    let checkouts = kept.take_in(checkouts).unwrap();
    build_selected(&checkouts, selection, Some(&kept), &world.scratch, &sink).unwrap()
}

fn made(build: &Build) -> SystemTime {
    let path = &only(build).path;
    fs::metadata(path).unwrap().modified().unwrap()
}

fn warnings(world: &World) -> Vec<String> {
    let events = world.events.lock().unwrap();
    let warning = |event: &Event| match event {
        Event::Warning { message } => Some(message.clone()),
        _ => None,
    };
    events.iter().filter_map(warning).collect()
}

#[test]
fn what_has_not_changed_is_not_built_again_and_what_has_is() {
    let world = World::new();
    let first = run(&world, &selection(), |_| ());
    let times = first.as_ref().map(made);
    let second = run(&world, &selection(), |world| {
        world.put_both("README.md", "words");
    });
    assert_eq!(second.as_ref().map(made), times);

    let changed = LIB.replace("outside::seed()", "2 + outside::seed()");
    let third = run(&world, &selection(), |world| {
        world.put(Side::Head, "src/lib.rs", &changed);
    });
    assert_eq!(made(&third.base), times.base);
    assert!(made(&third.head) > times.head);
    assert_eq!(output(only(&third.base)), "43");
    assert_eq!(output(only(&third.head)), "45");

    // Back to what it was, which is older than what was built since.
    let fourth = run(&world, &selection(), |_| ());
    assert_eq!(output(only(&fourth.head)), "43");
    assert_eq!(warnings(&world), [""; 0]);
}

#[test]
fn whatever_changes_the_code_is_built_anew() {
    type Change = fn(&World);
    let changes: [(&str, Change); 3] = [
        ("profile", |world| {
            let manifest = world.manifest("[profile.bench]\nopt-level = 1");
            world.put_both("Cargo.toml", &manifest);
        }),
        ("flags", |world| {
            let flags = "[build]\nrustflags = [\"-Copt-level=2\"]\n";
            world.put_both(".cargo/config.toml", flags);
        }),
        ("data", |world| world.put_both("data.bin", "1")),
    ];
    let world = World::new();
    for (name, change) in changes {
        let before = run(&world, &selection(), |_| ());
        let times = before.as_ref().map(made);
        let after = run(&world, &selection(), change);
        let same = Side::BOTH.into_iter().filter(|side| {
            only(before.get(*side)).path == only(after.get(*side)).path
                && times.get(*side) == &made(after.get(*side))
        });
        assert_eq!(same.count(), 0, "{name}");
    }
    assert_eq!(warnings(&world), [""; 0]);
}

#[test]
fn what_cargo_may_not_know_of_costs_the_packages_of_the_checkout_and_no_others() {
    let world = World::new();
    let with_data = |data: &'static str| move |world: &World| world.put_both("data.bin", data);
    let dependency = |build: &Build| {
        let deps = build.target_dir.join("release/deps");
        let mut files = fs::read_dir(deps).unwrap().map(|entry| entry.unwrap());
        let it = files.find(|entry| {
            let name = entry.file_name().into_string().unwrap();
            name.starts_with("liboutside") && name.ends_with(".rlib")
        });
        it.unwrap().metadata().unwrap().modified().unwrap()
    };
    let first = run(&world, &selection(), with_data("1"));
    let (before, times) = (first.as_ref().map(made), first.as_ref().map(dependency));
    let second = run(&world, &selection(), with_data("2"));
    for side in Side::BOTH {
        assert!(made(second.get(side)) > *before.get(side), "{side}");
    }
    assert_eq!(second.as_ref().map(dependency), times);

    // A run that is killed between bringing the checkouts and building leaves what is outdated to the next.
    world.lay_out();
    world.put_both("data.bin", "3");
    let checkouts = world.checkouts();
    let before = second.as_ref().map(made);
    let kept = Kept::open(BOUND, places(&world), &checkouts, &|_| ());
    drop(kept.unwrap().unwrap().take_in(checkouts).unwrap());
    let third = run(&world, &selection(), with_data("3"));
    for side in Side::BOTH {
        assert!(made(third.get(side)) > *before.get(side), "{side}");
    }
    assert_eq!(third.as_ref().map(dependency), times);
    assert_eq!(warnings(&world), [""; 0]);
}

#[test]
fn an_executable_that_is_not_what_was_made_is_noticed_and_made_again() {
    let world = World::new();
    let first = run(&world, &selection(), |_| ());
    let path = &only(&first.head).path;
    let time = made(&first.head);
    // Cargo goes by the time, which says nothing.
    fs::write(path, "#!/bin/sh\necho 99\n").unwrap();
    fs::File::open(path)
        .unwrap()
        .file()
        .set_modified(time)
        .unwrap();
    let second = run(&world, &selection(), |_| ());
    assert_eq!(output(only(&second.head)), "43");
    let warnings = warnings(&world);
    assert!(
        warnings[0].contains("it is not what the earlier build made"),
        "{warnings:?}"
    );
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn after_a_run_that_was_killed_while_building_nothing_of_its_build_is_used() {
    let world = World::new();
    let first = run(&world, &selection(), |_| ());
    let time = made(&first.base);
    world.lay_out();
    let checkouts = world.checkouts();
    let kept = Kept::open(BOUND, places(&world), &checkouts, &|_| ());
    let kept = kept.unwrap().unwrap();
    let toolchain = &first.base.toolchain.verbose;
    assert!(kept.take_record(Side::Base, toolchain).unwrap().is_some());
    drop(kept);
    let after = run(&world, &selection(), |_| ());
    assert!(made(&after.base) > time);
    assert_eq!(output(only(&after.base)), "43");
}

#[test]
fn a_run_that_finds_the_folder_in_use_does_without_and_one_too_large_goes_at_the_end() {
    let world = World::new();
    let checkouts = world.checkouts();
    let open = |cache| Kept::open(cache, places(&world), &checkouts, &|_| ()).unwrap();
    let tiny = open(Cache::Bounded(Bytes::from_bytes(1))).unwrap();
    assert!(open(BOUND).is_none());
    assert!(open(Cache::Off).is_none());
    let path = tiny.path.clone();
    drop(tiny);
    assert!(!path.exists());
    assert!(open(BOUND).is_some());
}
