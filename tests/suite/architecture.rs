//! The pipeline is the folder layout: these tests check what the compiler does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file with more lines than this, without its tests, holds two things.
const LONGEST_FILE: usize = 400;

/// If it has more lines than this, nobody reads it before their first change.
const LONGEST_ARCHITECTURE: usize = 120;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the repository, by their path from its root.
fn rust_files(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// The rooms, in the order of `lib.rs`.
fn rooms() -> Vec<String> {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
        })
        .collect()
}

/// The room that a file belongs to: `src/units/paired.rs` and `src/units.rs` to `units`.
fn room_of(file: &Path) -> Option<String> {
    let name = file.strip_prefix("src").ok()?.components().next()?;
    let name = Path::new(name.as_os_str()).file_stem()?.to_str()?;
    (!["lib", "main", "bin"].contains(&name)).then(|| name.to_owned())
}

/// A file's code: without comments, and without the text in string literals that span no line.
fn code(source: &str) -> String {
    let mut code = String::new();
    for line in source.lines() {
        let mut in_string = false;
        let mut previous = ' ';
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            if !in_string && c == '/' && rest.peek() == Some(&'/') {
                break;
            }
            if c == '"' && previous != '\\' && previous != '\'' {
                in_string = !in_string;
            }
            if !in_string {
                code.push(c);
            }
            previous = c;
        }
        code.push('\n');
    }
    code
}

/// The names that follow `prefix` in paths: `crate::a::X` and `crate::{a::X, b}` give a and b.
fn heads_of_paths(code: &str, prefix: &str) -> Vec<String> {
    let identifier = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut heads = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            heads.push(identifier(rest));
            continue;
        };
        let mut depth = 1;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => heads.push(identifier(std::mem::take(&mut item).trim())),
                _ if depth == 1 => item.push(c),
                _ => {}
            }
            if depth == 0 {
                heads.push(identifier(item.trim()));
                break;
            }
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

#[test]
fn imports_between_rooms_point_upstream_only() {
    let rooms = rooms();
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let mut wrong = Vec::new();
    for (file, source) in rust_files("src") {
        let Some(room) = room_of(&file) else { continue };
        let own = place(&room).unwrap_or_else(|| panic!("{} is in no room", file.display()));
        let code = code(&source);
        let mut used = heads_of_paths(&code, "crate::");
        // A room reached by way of `super` would go unseen.
        used.extend(
            heads_of_paths(&code, "super::")
                .into_iter()
                .filter(|name| place(name).is_some() && !is_part_of(&room, name)),
        );
        wrong.extend(
            used.iter()
                .filter(|name| place(name).is_some_and(|place| place > own))
                .map(|name| format!("{} imports {name}, which is downstream", file.display())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a room has a file or folder of that name.
fn is_part_of(room: &str, name: &str) -> bool {
    let folder = root().join("src").join(room);
    folder.join(name).is_dir() || folder.join(format!("{name}.rs")).is_file()
}

#[test]
fn no_circle_of_imports_within_a_room() {
    let files = rust_files("src");
    for room in rooms() {
        let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let exported = files
            .get(&Path::new("src").join(&room).join("mod.rs"))
            .map_or_else(BTreeMap::new, |source| passed_on(&room, &code(source)));
        for (file, source) in &files {
            let Ok(inside) = file.strip_prefix(Path::new("src").join(&room)) else {
                continue;
            };
            let part = |path: &Path| {
                let first = path.components().next().expect("a file has a name");
                let name = Path::new(first.as_os_str()).file_stem().expect("a name");
                name.to_string_lossy().into_owned()
            };
            // `mod.rs` holds the room's own vocabulary, which its parts may use, and uses in tests
            // are not part of the flow.
            if ["mod", "tests"].contains(&part(inside).as_str()) {
                continue;
            }
            let code = code(without_tests(source));
            let mut used = heads_of_paths(&code, "super::");
            used.extend(heads_of_paths(&code, &format!("crate::{room}::")));
            for name in &mut used {
                if let Some(part) = exported.get(name) {
                    name.clone_from(part);
                }
            }
            used.retain(|name| is_part_of(&room, name) && *name != part(inside));
            uses.entry(part(inside)).or_default().extend(used);
        }
        if let Some(circle) = circle(&uses) {
            panic!("{room}/ has a circle of imports: {}", circle.join(" → "));
        }
    }
}

/// The names that a room's `mod.rs` re-exports, each with its part: other parts may use them through `super::`.
fn passed_on(room: &str, code: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for statement in code.split(';') {
        let Some((_, path)) = statement.rsplit_once("use ") else {
            continue;
        };
        if let Some((part, rest)) = path.split_once("::")
            && is_part_of(room, part)
        {
            let names = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
            let names = names.filter(|name| !name.is_empty());
            found.extend(names.map(|name| (name.to_owned(), part.to_owned())));
        }
    }
    found
}

/// Some circle among the uses, if there is one.
fn circle(uses: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    fn walk(
        uses: &BTreeMap<String, Vec<String>>,
        path: &mut Vec<String>,
        part: &str,
    ) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|earlier| earlier == part) {
            let mut circle = path[start..].to_vec();
            circle.push(part.to_owned());
            return Some(circle);
        }
        path.push(part.to_owned());
        let found = uses
            .get(part)
            .into_iter()
            .flatten()
            .find_map(|next| walk(uses, path, next));
        path.pop();
        found
    }
    uses.keys()
        .find_map(|part| walk(uses, &mut Vec::new(), part))
}

/// A file up to its test module.
fn without_tests(source: &str) -> &str {
    source
        .split_once("\n#[cfg(test)]\nmod ")
        .map_or(source, |(before, _)| before)
}

#[test]
fn no_file_has_grown_so_long_that_two_things_live_in_it() {
    let mut long = Vec::new();
    for folder in ["src", "probe/src", "probe/profile/src"] {
        for (file, source) in rust_files(folder) {
            let lines = without_tests(&source).lines().count();
            if lines > LONGEST_FILE && file.file_name().is_some_and(|name| name != "tests.rs") {
                long.push(format!(
                    "{}: {lines} lines without its tests",
                    file.display()
                ));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_two_types_have_one_name() {
    let files = rust_files("src");
    let tests = test_modules(&files);
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, source) in &files {
        let parts = file.iter().filter_map(|part| Path::new(part).file_stem());
        let mut parts = parts.map(|part| part.to_string_lossy());
        if parts.any(|part| tests.iter().any(|name| *name == part)) {
            continue;
        }
        for name in types(&code(without_tests(source))) {
            places
                .entry(name)
                .or_default()
                .push(file.display().to_string());
        }
    }
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

/// The names of modules that contain only tests.
fn test_modules(files: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let lines = files
        .values()
        .flat_map(|source| source.lines().zip(source.lines().skip(1)));
    let modules = lines.filter_map(|(before, line)| {
        let is_for_tests = before.starts_with("#[cfg(") && before.contains("test");
        let (_, name) = line.strip_suffix(';')?.split_once("mod ")?;
        is_for_tests.then(|| name.to_owned())
    });
    modules.collect()
}

/// The types that a file defines, apart from those that stand in for others on another system.
fn types(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut stands_in = false;
    for line in code.lines() {
        if line.starts_with('#') {
            stands_in |= line.starts_with("#[cfg(not(");
            continue;
        }
        let words: Vec<&str> = without_visibility(line)
            .split_whitespace()
            .take_while(|word| !word.starts_with('='))
            .collect();
        if let [keyword, name, ..] = words[..] {
            let is_type = ["struct", "enum", "trait", "union"].contains(&keyword)
                || keyword == "type" && !line.starts_with(' ');
            let name = name
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            if is_type && !stands_in {
                found.push(name.to_owned());
            }
        }
        stands_in = false;
    }
    found
}

/// A line without `pub` and its bracket.
fn without_visibility(line: &str) -> &str {
    let line = line.trim_start();
    let within = line
        .strip_prefix("pub(")
        .and_then(|rest| rest.split_once(')'));
    match within {
        Some((_, item)) => item,
        None => line.strip_prefix("pub ").unwrap_or(line),
    }
}

#[test]
fn a_type_is_found_whatever_its_visibility() {
    let code = "pub(in crate::build) enum A {\n  pub(super) struct B;\npub struct C;\nstruct D;\nfn e() {}\n";
    assert_eq!(types(code), ["A", "B", "C", "D"]);
}

#[test]
fn main_is_nothing_but_the_way_into_the_library() {
    let main = std::fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40);
}

#[test]
fn every_dependency_has_its_reason_beside_it() {
    let mut bare = Vec::new();
    for manifest in [
        "Cargo.toml",
        "probe/manifest.toml",
        "probe/profile/manifest.toml",
    ] {
        let text = std::fs::read_to_string(root().join(manifest)).unwrap();
        let mut in_dependencies = false;
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
            } else if in_dependencies && line.contains('=') && !line.contains(" # ") {
                bare.push(format!("{manifest}: {line}"));
            }
        }
    }
    assert!(bare.is_empty(), "{}", bare.join("\n"));
}

#[test]
fn unsafe_code_lives_in_the_probe_alone() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for folder in ["src", "tests", "benches"] {
        for (file, source) in rust_files(folder) {
            let code = code(&source);
            let found = code.split_whitespace().any(|word| word == "unsafe");
            assert!(!found, "{} has unsafe code", file.display());
        }
    }
}

#[test]
fn the_architecture_document_is_short_and_every_file_it_names_exists() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(
        text.lines().count() <= LONGEST_ARCHITECTURE,
        "ARCHITECTURE.md has more than {LONGEST_ARCHITECTURE} lines"
    );
    let missing: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| {
            let file = [".rs", ".md", ".toml", ".json", ".in"]
                .iter()
                .any(|suffix| name.ends_with(suffix));
            (file || name.ends_with('/')) && !name.contains([' ', '…', '<', '*'])
        })
        .filter(|name| !root().join(name).exists() && !root().join("src").join(name).exists())
        .collect();
    assert!(missing.is_empty(), "it names {missing:?}");
}

#[test]
fn the_architecture_document_and_the_library_name_every_room() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for room in rooms() {
        if root().join("src").join(&room).is_dir() {
            assert!(
                text.contains(&format!("`{room}/`")),
                "ARCHITECTURE.md: {room}"
            );
            // A private room cannot be linked to from the library's documentation.
            assert!(
                lib.contains(&format!("| [`{room}`] |"))
                    || !lib.contains(&format!("pub mod {room};")),
                "lib.rs: {room}"
            );
        }
    }
}
