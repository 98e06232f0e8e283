//! Benchmarks that are built or started in unusual ways: one workspace, compared over two ranges.

use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Workspace, one_run};

mod sources;

use sources::{BENCH, FIRST, READER, READING_BENCH, SCRIPT, SHUFFLED, SHUFFLED_BENCH, WHOLE};

/// Nothing here measures the harnesses themselves or depends on optimisation, so the settings favour a quick build.
const WORKSPACE: &str = "[workspace]\nmembers = [\"core\", \"fork\", \"layer2\", \"layer4\", \"moved\", \"own\", \"broken\", \
    \"shuffled\", \"needy\", \"linked\", \"shut\"]\nresolver = \"2\"\n\n[profile.bench]\nopt-level = 1\n\n\
    [profile.bench.package.\"*\"]\nopt-level = 0\ndebug = false\n";

const CRITERION: &str = "{ version = \"0.8\", default-features = false }";
const FORK: &str = "{ package = \"criterion2\", version = \"3.0.5\", default-features = false }";
const LAYER2: &str =
    "{ package = \"codspeed-criterion-compat\", version = \"2.10.1\", default-features = false }";
const LAYER4: &str =
    "{ package = \"codspeed-criterion-compat\", version = \"4.7.0\", default-features = false }";

fn manifest(name: &str, criterion: &str, benches: &[&str]) -> String {
    let benches = benches
        .iter()
        .map(|bench| format!("\n[[bench]]\nname = \"{bench}\"\nharness = false\n"));
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\nbench = false\n\n\
         [dev-dependencies]\nunusual = {{ path = \"../core\" }}\ncriterion = {criterion}\n{}",
        benches.collect::<String>()
    )
}

fn work(rounds: u64) -> String {
    format!(
        "#[inline(never)]\npub fn work(n: u64) -> u64 {{\n    (0..n * {rounds}).fold(1, |a, x| \
         a.wrapping_mul(6364136223846793005).wrapping_add(x))\n}}\n"
    )
}

struct Told {
    change: Value,
    documentation: Value,
}

fn told() -> &'static Told {
    static TOLD: OnceLock<Told> = OnceLock::new();
    TOLD.get_or_init(|| {
        let workspace = Workspace::new();
        lay_out(&workspace);
        lay_out_what_cannot_be_built(&workspace);
        workspace.commit("Work");
        let nightly = format!("#![feature(test)]\n{BENCH}");
        for old in ["fork", "layer2"] {
            std::fs::remove_dir_all(workspace.root().join(old)).unwrap();
        }
        lay_out_one(&workspace, "forks/fork", &manifest("fork", FORK, &["fork"]));
        lay_out_one(&workspace, "layer2", &manifest("layer-two", LAYER2, &["layer2"]));
        workspace
            .write("Cargo.toml", &WORKSPACE.replace("\"fork\"", "\"forks/fork\""))
            .write("moved/benches/moved.rs", &BENCH.replace("work more", "work most"))
            .write("core/src/lib.rs", &work(2))
            .write("moved/Cargo.toml", &manifest("moved", FORK, &["moved"]))
            .write("broken/benches/nightly.rs", BENCH)
            .write("broken/benches/lost.rs", &nightly)
            .write("shut/src/lib.rs", "")
            .commit("Work twice as much, and more");
        let report = |range: &str| {
            let options = "--rename layer2=layer-two --rounds 8 --threshold 20% --time-per-benchmark 300ms \
                --no-allocations --no-profile";
            let output = workspace
                .keeping(&format!("{range} --workspace {options} --format json"))
                .args(["--warm-up-time", "10ms", "--measurement-time", "20ms"])
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"))
        };
        let change = report("HEAD~1..HEAD");
        let documented = format!("//! Work of two kinds.\n\n{}", work(2));
        workspace
            .write("core/src/lib.rs", &documented)
            .write("shuffled/src/lib.rs", &SHUFFLED.replace("Keys.", "Many keys."))
            .write("README.md", "Work.\n")
            .commit("Say what it does");
        Told {
            change,
            documentation: report("HEAD~1..HEAD"),
        }
    })
}

fn lay_out(workspace: &Workspace) {
    let nightly = format!("#![feature(test)]\n{BENCH}");
    workspace
        .write("Cargo.toml", WORKSPACE)
        .write(".gitignore", "target\n")
        .write(
            "core/Cargo.toml",
            "[package]\nname = \"unusual\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\nbench = false\n",
        )
        .write("core/src/lib.rs", &work(1))
        .write("shuffled/build.rs", SCRIPT)
        .write("shuffled/src/lib.rs", SHUFFLED)
        .write("shuffled/benches/shuffled.rs", SHUFFLED_BENCH)
        .write("shuffled/benches/reading.rs", READING_BENCH)
        .write("own/benches/whole.rs", WHOLE)
        .write("own/benches/reader.rs", READER)
        .write("own/benches/first.rs", FIRST)
        .write("broken/benches/fine.rs", BENCH)
        .write("broken/benches/nightly.rs", &nightly)
        .write("broken/benches/lost.rs", BENCH)
        .write("linked/Cargo.toml", &manifest("linked", CRITERION, &[]))
        .write("linked/src/lib.rs", "")
        .write("linked/build.rs", "fn main() { panic!(\"no libexample here\") }\n");
    for (name, criterion, benches) in [
        ("fork", FORK, &["fork"][..]),
        ("layer2", LAYER2, &["layer2"]),
        ("layer4", LAYER4, &["layer4"]),
        ("moved", CRITERION, &["moved"]),
        ("own", CRITERION, &["whole", "reader", "first"]),
        ("broken", CRITERION, &["fine", "nightly", "lost"]),
        ("shuffled", CRITERION, &["shuffled", "reading"]),
        ("needy", CRITERION, &["needy"]),
        ("shut", CRITERION, &["shut"]),
    ] {
        workspace.write(
            &format!("{name}/Cargo.toml"),
            &manifest(name, criterion, benches),
        );
        if name != "shuffled" {
            workspace.write(&format!("{name}/src/lib.rs"), "");
        }
        if let [bench] = benches
            && name != "shuffled"
        {
            workspace.write(&format!("{name}/benches/{bench}.rs"), BENCH);
        }
    }
}

/// The first package cannot be built on either side, since a dependency cannot; the second one not on the base
/// side.
fn lay_out_what_cannot_be_built(workspace: &Workspace) {
    let needy = manifest("needy", CRITERION, &["needy"]);
    let linked = "[dev-dependencies]\nlinked = { path = \"../linked\" }";
    workspace
        .write(
            "needy/Cargo.toml",
            &needy.replace("[dev-dependencies]", linked),
        )
        .write("shut/src/lib.rs", "compile_error!(\"not yet\");\n");
}

/// A package in `folder` with the usual benchmarks, in a target with the folder's name.
fn lay_out_one(workspace: &Workspace, folder: &str, manifest: &str) {
    let bench = folder.rsplit('/').next().unwrap_or(folder);
    let up = folder.replace(|c| c != '/', "").replace('/', "../");
    workspace
        .write(
            &format!("{folder}/Cargo.toml"),
            &manifest.replace("\"../core\"", &format!("\"{up}../core\"")),
        )
        .write(&format!("{folder}/src/lib.rs"), "")
        .write(&format!("{folder}/benches/{bench}.rs"), BENCH);
}

/// Package, target, id and verdict of each benchmark of a package.
fn verdicts(report: &Value, package: &str) -> Vec<String> {
    let benchmarks = report["benchmarks"].as_array().unwrap().iter();
    let own = benchmarks.filter(|benchmark| benchmark["package"] == package);
    let mut all: Vec<String> = own
        .map(|benchmark| {
            let word = |key: &str| benchmark[key].as_str().unwrap();
            format!("{} {}: {}", word("target"), word("id"), word("verdict"))
        })
        .collect();
    all.sort();
    all
}

fn of<'r>(report: &'r Value, package: &str, target: &str, id: &str) -> &'r Value {
    let mut benchmarks = report["benchmarks"].as_array().unwrap().iter();
    let found = benchmarks
        .find(|one| one["package"] == package && one["target"] == target && one["id"] == id);
    found.unwrap_or_else(|| panic!("{package} {target} {id}: {report:#}"))
}

one_run! {
    benchmarks_of_unusual_harnesses_and_builds_are_compared:
    a_fork_and_a_layer_of_criterion_are_measured_and_named,
    a_benchmark_that_changed_its_harness_is_not_slower_by_itself,
    a_main_function_of_its_own_has_its_benchmarks_measured,
    a_target_that_does_not_compile_on_one_side_leaves_the_others_compared,
    packages_that_cannot_be_built_leave_the_others_compared,
    a_package_that_moved_or_was_renamed_is_compared_and_a_new_id_is_told_with_what_to_type,
    after_a_change_of_documentation_nothing_is_slower_although_the_build_differs,
}

fn a_fork_and_a_layer_of_criterion_are_measured_and_named() {
    let report = &told().change;
    for (package, target, name) in [
        ("fork", "fork", "criterion2 3.0.5"),
        ("layer-two", "layer2", "codspeed-criterion-compat 2.10.1"),
        ("layer4", "layer4", "codspeed-criterion-compat 4.7.0"),
    ] {
        let expected = [
            format!("{target} work more: slower"),
            format!("{target} work: slower"),
        ];
        assert_eq!(verdicts(report, package), expected, "{report:#}");
        assert_eq!(report["environment"]["criterion"]["head"][package], name);
    }
    for (package, target) in [("fork", "fork"), ("layer-two", "layer2")] {
        let one = of(report, package, target, "work");
        assert_eq!(one["pairing"], "sample", "{one:#}");
    }
}

fn a_benchmark_that_changed_its_harness_is_not_slower_by_itself() {
    let report = &told().change;
    let moved = of(report, "moved", "moved", "work");
    assert_eq!(moved["verdict"], "inconclusive", "{moved:#}");
    let notes = moved["notes"].to_string();
    assert!(notes.contains("criterion2 3.0.5"), "{notes}");
    let confounders = report["confounders"].to_string();
    assert!(
        confounders.contains("criterion 0.8.")
            && confounders.contains(" on base, criterion2 3.0.5 on head"),
        "{confounders}"
    );
}

fn a_main_function_of_its_own_has_its_benchmarks_measured() {
    let report = &told().change;
    let expected = [
        "first work: slower",
        "reader work: slower",
        "whole work more: slower",
        "whole work: slower",
    ];
    assert_eq!(verdicts(report, "own"), expected, "{report:#}");
    let notes = of(report, "own", "whole", "work")["notes"].to_string();
    assert!(notes.contains("ignores Criterion's options"), "{notes}");
}

fn packages_that_cannot_be_built_leave_the_others_compared() {
    let report = &told().change;
    let expected = ["shut work more: added", "shut work: added"];
    assert_eq!(verdicts(report, "shut"), expected, "{report:#}");
    let skipped = report["skipped"].to_string();
    let expected = "linked 0.1.0, which it depends on, cannot be built: its build script failed: no libexample here";
    assert!(skipped.contains(expected), "{skipped}");
}

fn a_target_that_does_not_compile_on_one_side_leaves_the_others_compared() {
    let report = &told().change;
    let expected = [
        "fine work more: slower",
        "fine work: slower",
        "lost work more: failed",
        "lost work: failed",
        "nightly work more: added",
        "nightly work: added",
    ];
    assert_eq!(verdicts(report, "broken"), expected, "{report:#}");
    let lost = of(report, "broken", "lost", "work")["failure"].clone();
    assert_eq!(lost["side"], "head");
    assert!(
        lost["reason"].as_str().unwrap().contains("E0554"),
        "{lost:#}"
    );
    let skipped = report["skipped"].to_string();
    assert!(
        skipped.contains("E0554") && skipped.contains("nightly"),
        "{skipped}"
    );
}

fn a_package_that_moved_or_was_renamed_is_compared_and_a_new_id_is_told_with_what_to_type() {
    let report = &told().change;
    let warnings = report["warnings"].to_string();
    let hint = "`work more` is gone and `work most` is new: if they are one, `--rename ";
    assert!(warnings.contains(hint), "{warnings}");
    // The verdicts of the others are those of a comparison: see above.
    for (package, target) in [("fork", "fork"), ("layer-two", "layer2")] {
        let one = of(report, package, target, "work");
        for side in ["base", "head"] {
            assert!(one["metrics"]["mean"][side]["value"].is_number(), "{one:#}");
        }
    }
}

fn after_a_change_of_documentation_nothing_is_slower_although_the_build_differs() {
    let report = &told().documentation;
    let benchmarks = report["benchmarks"].as_array().unwrap();
    for one in benchmarks {
        assert!(
            one["verdict"] != "slower" && one["verdict"] != "faster",
            "{one:#}"
        );
    }
    let find = of(report, "shuffled", "shuffled", "find");
    assert_ne!(find["verdict"], "identical", "{find:#}");
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("shuffled shuffled differs although its source does not"),
        "{warnings}"
    );
    // It takes three times as long, by what the build script has made in the other folder.
    let read = of(report, "shuffled", "reading", "read");
    assert_eq!(read["verdict"], "inconclusive", "{read:#}");
    assert!(read["notes"].to_string().contains("count.txt"), "{read:#}");
}
