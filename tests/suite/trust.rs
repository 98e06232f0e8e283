//! What SECURITY.md promises, with revisions that try to break it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::Workspace;

const MANIFEST: &str = "[package]\nname = \"sly\"\nversion = \"0.1.0\"\nedition = \"2021\"\nbuild = \"build.rs\"\n\
                        [lib]\npath = \"lib.rs\"\n[[bench]]\nname = \"sly\"\npath = \"bench.rs\"\nharness = false\n\
                        [workspace]\n";

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"sly\"\nversion = \"0.1.0\"\n";

/// A package without dependencies whose bench does not use Criterion: it is only built.
fn package() -> Workspace {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.beside("outside")).unwrap();
    workspace
        .write("Cargo.toml", MANIFEST)
        .write("lib.rs", "")
        .write("build.rs", "fn main() {}")
        .write("bench.rs", "fn main() {}")
        .commit("honest");
    workspace
}

fn link(workspace: &Workspace, name: &str, to: &Path) {
    let place = workspace.root().join(name);
    let _ = std::fs::remove_file(&place);
    symlink(to, place).unwrap();
}

/// The stderr of a comparison of the last two commits, which was refused.
fn refused(workspace: &Workspace) -> String {
    let output = workspace
        .perfcheck("HEAD~1..HEAD --offline")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    stderr
}

pub(crate) fn everything_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything_below(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn a_lock_file_that_leads_to_nowhere_is_not_made_there() {
    let workspace = package();
    let victim = workspace.beside("outside").join("made");
    workspace.write("Cargo.lock", LOCK).commit("locked");
    link(&workspace, "Cargo.lock", &victim);
    workspace.commit("sly");
    let stderr = refused(&workspace);
    assert!(
        stderr.contains("Cargo.lock is a symbolic link") && stderr.contains("hint: replace"),
        "{stderr}"
    );
    assert!(victim.symlink_metadata().is_err());
}

#[test]
fn a_lock_file_that_leads_to_somebody_elses_leaves_that_as_it_was() {
    let workspace = package();
    let victim = workspace.beside("outside").join("Cargo.lock");
    // Cargo would bring it up to date.
    std::fs::write(&victim, "version = 4\n").unwrap();
    link(&workspace, "Cargo.lock", &victim);
    workspace.commit("sly");
    let stderr = refused(&workspace);
    assert!(stderr.contains("symbolic link"), "{stderr}");
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "version = 4\n");
}

#[test]
fn a_workspace_that_really_lies_elsewhere_is_not_built_there() {
    let workspace = package();
    let outside = workspace.beside("outside");
    std::fs::write(outside.join("Cargo.toml"), MANIFEST).unwrap();
    for file in ["lib.rs", "build.rs", "bench.rs"] {
        std::fs::write(outside.join(file), "fn main() {}").unwrap();
    }
    let before = everything_below(&outside);
    link(&workspace, "inner", &outside);
    workspace
        .commit("sly")
        .write("lib.rs", "// two")
        .commit("again");
    let output = workspace
        .perfcheck("HEAD~1..HEAD --offline --manifest-path inner/Cargo.toml")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    assert_eq!(everything_below(&outside), before);
}

#[test]
fn links_in_the_place_of_cargos_folders_are_never_written_through() {
    let workspace = package();
    let outside = workspace.beside("outside");
    std::fs::create_dir(outside.join("src")).unwrap();
    std::fs::write(outside.join("src/lib.rs"), "").unwrap();
    std::fs::create_dir(outside.join("config")).unwrap();
    let before = everything_below(&outside);
    workspace.write("Cargo.lock", LOCK).write(
        "Cargo.toml",
        &MANIFEST.replace("path = \"lib.rs\"", "path = \"src/lib.rs\""),
    );
    for (name, to) in [
        ("target", ""),
        ("src", "src"),
        (".cargo", "config"),
        (".git-hooks", ""),
    ] {
        link(&workspace, name, &outside.join(to));
    }
    workspace
        .commit("sly")
        .write("bench.rs", "fn main() { }")
        .commit("again");
    let stderr = refused(&workspace);
    // It was built all the way, and then had nothing to measure.
    assert!(stderr.contains("Criterion"), "{stderr}");
    assert_eq!(everything_below(&outside), before);
}

#[test]
fn everything_of_a_run_lies_in_a_folder_that_nobody_else_can_enter() {
    let workspace = package();
    let record = workspace.beside("record");
    // The build script sees the folders from inside the run.
    let script = format!(
        "use std::os::unix::fs::PermissionsExt;\n\
         fn main() {{\n\
             let out = std::env::var(\"OUT_DIR\").unwrap();\n\
             let modes: String = std::path::Path::new(&out).ancestors()\n\
                 .map(|f| format!(\"{{:o}} {{}}\\n\", f.metadata().unwrap().permissions().mode() & 0o777, f.display()))\n\
                 .collect();\n\
             std::fs::write({record:?}, modes).unwrap();\n\
         }}\n"
    );
    workspace.write("build.rs", &script).commit("nosy");
    refused(&workspace);
    let modes = std::fs::read_to_string(&record).unwrap();
    let cache = workspace.beside("cache");
    let private = modes.lines().any(|line| {
        let (mode, folder) = line.split_once(' ').unwrap();
        mode == "700" && Path::new(folder).starts_with(&cache) && Path::new(folder) != cache
    });
    assert!(private, "{modes}");
    // And nothing is left of it that others could read.
    for path in everything_below(&cache) {
        let mode = path.symlink_metadata().unwrap().permissions().mode();
        let hidden = path
            .ancestors()
            .take_while(|folder| folder.starts_with(&cache))
            .any(|folder| folder.metadata().unwrap().permissions().mode() & 0o077 == 0);
        assert!(
            hidden || path.ends_with("CACHEDIR.TAG") || path.is_dir(),
            "{mode:o} {}",
            path.display()
        );
    }
}

#[test]
fn nothing_is_ever_started_by_way_of_a_shell() {
    let mut found = Vec::new();
    for file in everything_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let test =
            file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests");
        for shell in ["\"sh\"", "\"bash\"", "\"/bin/sh\"", "\"cmd\""] {
            if !test && code.contains(&format!("Command::new({shell}")) {
                found.push(format!("{}: {shell}", file.display()));
            }
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_names_of_revisions_never_become_commands() {
    let workspace = package();
    let name = "a;touch${IFS}pwned;`touch${IFS}pwned`$(touch${IFS}pwned)&|'x";
    let repository = git2::Repository::open(workspace.root()).unwrap();
    let head = repository.head().unwrap().peel_to_commit().unwrap();
    repository.branch(name, &head, false).unwrap();
    workspace.write("lib.rs", "// two").commit("again");
    let output = workspace
        .perfcheck(&format!("{name}..HEAD --offline"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{stderr}");
    assert!(stderr.contains("Criterion"), "{stderr}");
    let everywhere = everything_below(&workspace.beside(""));
    assert!(!everywhere.iter().any(|path| path.ends_with("pwned")));
}
