use std::ffi::OsString;

use super::super::{Args, Plan};
use super::*;
use crate::units::BenchmarkKey;

struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        Project { folder }
    }

    fn environment(&self, line: &str, variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter();
        Environment {
            cwd: self.folder.path().to_owned(),
            variables: variables
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            words: line.split(' ').map(OsString::from).collect(),
            drawn_seed: 1,
        }
    }

    fn plan(&self, line: &str, variables: &[(&str, &str)]) -> Result<Plan, PlanError> {
        let environment = self.environment(line, variables);
        let args = Args::from_words(&environment.words).unwrap();
        Plan::resolve(&args.compare, &environment)
    }
}

const SINGLE: &str = "[package]\nname = \"single\"\n[lib]\npath = \"lib.rs\"\n";

fn single(config: &str) -> Project {
    Project::new(&[
        ("Cargo.toml", SINGLE),
        ("lib.rs", ""),
        ("perfcheck.toml", config),
    ])
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let project = single("rounds = 5\nsample-size = 15\ntime-per-benchmark = '7s'\n");
    let variables = [("PERFCHECK_ROUNDS", "6"), ("PERFCHECK_SAMPLE_SIZE", "16")];
    let plan = project
        .plan("cargo-perfcheck --rounds 8", &variables)
        .unwrap();
    assert_eq!(plan.sampling.rounds, 8);
    assert_eq!(plan.sampling.sample_size, 16);
    assert_eq!(plan.sampling.time.as_secs(), 7);
    assert_eq!(plan.sampling.timeout.as_secs(), 60);
}

#[test]
fn the_file_beats_the_workspace_table_which_holds_what_the_file_does_not_say() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['a']\n[workspace.metadata.perfcheck]\nrounds = 9\nlocked = true\n",
        ),
        ("a/Cargo.toml", "[package]\nname = 'a'\n"),
        ("a/src/lib.rs", ""),
        ("perfcheck.toml", "rounds = 5\n"),
    ]);
    let plan = project.plan("cargo-perfcheck", &[]).unwrap();
    assert_eq!(plan.sampling.rounds, 5);
    assert!(plan.selection.locked);
}

#[test]
fn the_only_package_speaks_for_the_workspace() {
    let manifest = format!("{SINGLE}[package.metadata.perfcheck]\nthreshold = '2%'\n");
    let project = Project::new(&[("Cargo.toml", &manifest), ("lib.rs", "")]);
    let plan = project.plan("cargo-perfcheck", &[]).unwrap();
    assert!((plan.thresholds.practical.as_change() - 0.02).abs() < 1e-12);
}

#[test]
fn a_member_speaks_for_its_own_benchmarks_only() {
    let project = Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = ['a', 'b']\n"),
        (
            "a/Cargo.toml",
            "[package]\nname = 'a'\n[package.metadata.perfcheck]\nthreshold = '5%'\n\
             [[package.metadata.perfcheck.benchmark]]\nmatch = 'x*'\nskip = true\n",
        ),
        ("a/src/lib.rs", ""),
        ("b/Cargo.toml", "[package]\nname = 'b'\n"),
        ("b/src/lib.rs", ""),
    ]);
    let plan = project.plan("cargo-perfcheck", &[]).unwrap();
    assert!(
        plan.sampling
            .rules
            .of(&BenchmarkKey::new("a", "t", "sum"))
            .threshold
            .is_some()
    );
    assert_eq!(
        plan.sampling
            .rules
            .of(&BenchmarkKey::new("a", "t", "x1"))
            .obligation,
        Obligation::Skipped
    );
    assert_eq!(
        plan.sampling
            .rules
            .of(&BenchmarkKey::new("b", "t", "x1"))
            .threshold,
        None
    );
    assert_eq!(
        plan.sampling
            .rules
            .of(&BenchmarkKey::new("b", "t", "x1"))
            .obligation,
        Obligation::Optional
    );
}

#[test]
fn unknown_keys_warn_and_name_the_nearest() {
    let project = single("treshold = '2%'\n[[benchmark]]\nmach = 'a'\n");
    let plan = project
        .plan("cargo-perfcheck", &[("PERFCHECK_ROUND", "3")])
        .unwrap();
    let warnings = plan.warnings.join("\n");
    assert!(warnings.contains("`treshold`"), "{warnings}");
    assert!(warnings.contains("did you mean `threshold`?"), "{warnings}");
    assert!(warnings.contains("did you mean `match`?"), "{warnings}");
    assert!(warnings.contains("`PERFCHECK_ROUNDS` is"), "{warnings}");
}

#[test]
fn a_value_that_cannot_be_understood_names_its_place() {
    for (config, expected) in [
        ("threshold = '2'", "`threshold` in"),
        ("threshold = '2'", "percent sign"),
        ("rounds = [1]", "it must be a string or a number"),
        ("locked = 'yes'", "it must be `true` or `false`"),
        ("deny = ['approve']", "it must be one of modify"),
        ("filter = 'a('", "unclosed group"),
        ("rounds = ", "is not valid TOML"),
    ] {
        let error = single(config).plan("cargo-perfcheck", &[]).unwrap_err();
        assert!(error.to_string().contains(expected), "{config}: {error}");
    }
    let error = single("")
        .plan("cargo-perfcheck", &[("PERFCHECK_TIME", "soon")])
        .unwrap_err();
    assert!(error.to_string().contains("$PERFCHECK_TIME"), "{error}");
}

#[test]
fn what_belongs_together_is_taken_together() {
    let project = single("output = ['out/perf.json']\nverbose = true\nworkspace = true\n");
    let root = project.folder.path();
    let plan = project.plan("cargo-perfcheck", &[]).unwrap();
    let configured = plan.outputs[0].path.clone().unwrap();
    assert!(configured.ends_with("out/perf.json") && configured.is_absolute());
    let plan = project
        .plan("cargo-perfcheck -q -p single --output x.md", &[])
        .unwrap();
    assert_eq!(plan.outputs.len(), 1);
    assert_eq!(plan.outputs[0].path.as_deref(), Some(&*root.join("x.md")));
    assert!(!plan.selection.workspace);
    assert_eq!(plan.terminal.verbosity, super::super::Verbosity::Quiet);
}

#[test]
fn a_broken_manifest_is_a_warning_and_the_file_beside_it_still_counts() {
    let project = Project::new(&[("Cargo.toml", "[package"), ("perfcheck.toml", "rounds = 5")]);
    let plan = project.plan("cargo-perfcheck", &[]).unwrap();
    assert_eq!(plan.sampling.rounds, 5);
    assert!(
        plan.warnings[0].contains("was not read"),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn a_switch_that_a_file_sets_is_undone_on_the_command_line() {
    let project = single("locked = true\nno-cache = true\nquick = true\nno-profile = true\n");
    let line = "cargo-perfcheck --no-locked --cache --no-quick --no-no-profile";
    let plan = project.plan(line, &[]).unwrap();
    assert!(!plan.selection.locked);
    assert_eq!(plan.sampling.rounds, 30);
    let as_configured = project.plan("cargo-perfcheck", &[]).unwrap();
    assert!(as_configured.selection.locked);
    assert_eq!(as_configured.sampling.rounds, 12);
    // The last word counts, and a variable is undone like a file.
    let plan = project.plan("cargo-perfcheck --no-locked --locked", &[]);
    assert!(plan.unwrap().selection.locked);
    let variables = [("PERFCHECK_LOCKED", "1")];
    let plan = project.plan("cargo-perfcheck --no-locked", &variables);
    assert!(!plan.unwrap().selection.locked);
    let line = "cargo-perfcheck perfcheck config --no-locked";
    let (settings, _) = show(None, &project.environment(line, &[])).unwrap();
    let locked = settings.iter().find(|setting| setting.key == "locked");
    let locked = locked.map(|setting| (setting.value.as_deref(), setting.origin.clone()));
    assert_eq!(locked, Some((Some("false"), ValueOrigin::Flag)));
}

#[test]
fn every_setting_is_shown_with_where_it_came_from() {
    let project = single("rounds = 5\nlocked = true\n");
    let line = "cargo-perfcheck perfcheck config --seed 3";
    let environment = project.environment(line, &[("PERFCHECK_TIME_PER_BENCHMARK", "4s")]);
    let (settings, warnings) = show(None, &environment).unwrap();
    assert_eq!(warnings, [""; 0]);
    let shown = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key).unwrap();
        format!("{:?} {}", setting.value, setting.origin)
    };
    assert_eq!(shown("seed"), "Some(\"3\") command line");
    assert_eq!(
        shown("time-per-benchmark"),
        "Some(\"4s\") $PERFCHECK_TIME_PER_BENCHMARK"
    );
    assert!(
        shown("rounds").starts_with("Some(\"5\")") && shown("rounds").ends_with("perfcheck.toml")
    );
    assert_eq!(shown("threshold"), "Some(\"1%\") default");
    assert_eq!(shown("filter"), "Some(\"(all)\") default");
}

#[test]
fn a_workspace_within_the_repository_has_the_configuration_above_unless_it_has_its_own() {
    let nested = SINGLE.replace("[lib]", "[workspace]\n[lib]");
    let mut files = vec![
        (".git/HEAD", "ref: refs/heads/main"),
        ("perfcheck.toml", "rounds = 9\n"),
        ("bench/Cargo.toml", &nested),
        ("bench/lib.rs", ""),
    ];
    let rounds = |files: &[(&str, &str)]| {
        let project = Project::new(files);
        let plan = project.plan("cargo-perfcheck --manifest-path bench/Cargo.toml", &[]);
        plan.unwrap().sampling.rounds
    };
    assert_eq!(rounds(&files), 9);
    files.push(("bench/perfcheck.toml", "rounds = 8\n"));
    assert_eq!(rounds(&files), 8);
    // A folder above that is no part of the repository says nothing.
    files.pop();
    files[0].0 = "bench/.git/HEAD";
    assert_eq!(rounds(&files), 30);
}
