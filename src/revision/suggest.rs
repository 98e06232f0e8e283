//! What the user may have meant, and which fetch would fix it.

use git2::{ObjectType, Oid, Repository};

/// At most so many suggestions.
const SUGGESTIONS: usize = 3;

/// The similarity from which on two names count as alike (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.8;

/// What the branch is called that everything leaves: who means one in vain may mean another.
const USUAL_BRANCHES: [&str; 3] = ["main", "master", "trunk"];

/// Names of branches and tags, and `HEAD`, that are spelled like `spec`, the nearest first.
pub(super) fn near_names(repository: &Repository, spec: &str) -> Vec<String> {
    // `mian~3` means the branch.
    let stem = spec.split(['~', '^', '@']).next().unwrap_or(spec);
    let Ok(references) = repository.references() else {
        return Vec::new();
    };
    let is_usual = |name: &str| USUAL_BRANCHES.contains(&name);
    let score = |name: &str| match is_usual(name) && is_usual(stem) {
        true => 1.0,
        false => likeness(name, stem),
    };
    let mut scored: Vec<(f64, String)> = references
        .flatten()
        .filter_map(|reference| reference.shorthand().ok().map(str::to_owned))
        .filter(|name| name != "stash")
        .chain(["HEAD".to_owned()])
        .map(|name| (score(&name), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.cmp(other)));
    scored.dedup_by(|(_, one), (_, other)| one == other);
    scored.truncate(SUGGESTIONS);
    scored.into_iter().map(|(_, name)| name).collect()
}

fn likeness(name: &str, typed: &str) -> f64 {
    // A common prefix up to a slash does not make two names more alike.
    if let (Some((folder, name)), Some((same, typed))) =
        (name.split_once('/'), typed.split_once('/'))
        && folder == same
    {
        return likeness(name, typed);
    }
    // `main` for `origin/main`, `parser` for `feature/parser`.
    let last = name.rsplit('/').next().unwrap_or(name);
    strsim::jaro_winkler(name, typed).max(strsim::jaro_winkler(last, typed) - 0.001)
}

/// Longer ids of the commits that begin with `prefix`, at most a handful.
pub(super) fn commits_that_begin_with(repository: &Repository, prefix: &str) -> Vec<String> {
    let mut found: Vec<Oid> = Vec::new();
    if let Ok(odb) = repository.odb() {
        let _ = odb.foreach(|id| {
            let alike = id.to_string().starts_with(&prefix.to_lowercase());
            let commit = alike
                && odb
                    .read_header(*id)
                    .is_ok_and(|(_, kind)| kind == ObjectType::Commit);
            if commit && !found.contains(id) {
                found.push(*id);
            }
            found.len() < 5
        });
    }
    let longer = |id: Oid| {
        let object = repository.find_object(id, None).ok()?;
        let short = object.short_id().ok()?;
        Some(short.as_str().ok()?.to_owned())
    };
    found.into_iter().filter_map(longer).collect()
}

/// The command that fetches `spec` into a shallow clone, under the same name.
pub(super) fn fetch_for(repository: &Repository, spec: &str) -> String {
    let remote = remote_name(repository);
    if let Some((_, steps)) = spec.rsplit_once('~')
        && let Ok(steps) = steps.parse::<u32>()
    {
        return format!("git fetch --deepen={steps} {remote}");
    }
    if spec.contains(['~', '^', '@', ':']) {
        return unshallow(repository);
    }
    if is_full_id(spec) {
        return format!("git fetch --depth=1 {remote} {spec}");
    }
    if is_id(spec) {
        return unshallow(repository);
    }
    match spec.split_once('/') {
        Some((first, branch)) if first == remote => format!(
            "git fetch --depth=1 {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"
        ),
        _ => format!("git fetch --depth=1 {remote} {spec}:{spec}"),
    }
}

/// The command that fetches the whole history into a shallow clone.
pub(super) fn unshallow(repository: &Repository) -> String {
    format!("git fetch --unshallow {}", remote_name(repository))
}

fn remote_name(repository: &Repository) -> String {
    let names = repository.remotes().ok();
    let names: Vec<&str> = names
        .iter()
        .flat_map(|names| names.iter())
        .filter_map(|name| name.ok().flatten())
        .collect();
    match names.first() {
        Some(first) if !names.contains(&"origin") => (*first).to_owned(),
        _ => "origin".to_owned(),
    }
}

fn is_full_id(spec: &str) -> bool {
    spec.len() == 40 && is_id(spec)
}

fn is_id(spec: &str) -> bool {
    spec.len() >= 7 && spec.bytes().all(|byte| byte.is_ascii_hexdigit())
}
