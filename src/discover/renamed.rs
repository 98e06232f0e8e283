//! Benchmarks and bench targets whose names differ between the sides.
//!
//! Two of them are paired where that is certain: git sees that a bench target's file was renamed, or it is the same
//! file; an id contains the revision's commit, a folder or a date; or the user says so (`--rename`). Otherwise the
//! report names likely pairs, with the option to type.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::build::{Build, Executable};
use crate::plan::Renaming;
use crate::units::{Paired, Side, Timestamp, quoted};

use super::listing::Listing;

/// The most guesses to report for a target; more would not help.
const GUESSES: usize = 5;

/// The smallest similarity of two names that may belong to one benchmark.
const ALIKE: f64 = 0.8;

/// The base side's executable for each of the head side's that has another name on the base side.
pub(super) fn pair_targets(
    builds: &Paired<Build>,
    moved: &[Paired<Option<PathBuf>>],
    renames: &[Renaming],
) -> BTreeMap<usize, usize> {
    let (base, head) = (&builds.base.executables, &builds.head.executables);
    let named = |one: &Executable, all: &[Executable]| {
        let mut all = all.iter();
        all.any(|other| other.package == one.package && other.target == one.target)
    };
    let same_file = |old: &Executable, new: &Executable| {
        old.source == new.source
            || moved.iter().any(|paths| {
                paths.base.as_ref() == Some(&old.source) && paths.head.as_ref() == Some(&new.source)
            })
    };
    let mut pairs = BTreeMap::new();
    for (at, new) in head.iter().enumerate().filter(|(_, new)| !named(new, base)) {
        let mut free = base
            .iter()
            .enumerate()
            .filter(|(at, old)| !named(old, head) && !pairs.values().any(|taken| taken == at));
        let found = free.find(|(_, old)| {
            let package = old.package == new.package || says(renames, &old.package, &new.package);
            let target = old.target == new.target || says(renames, &old.target, &new.target);
            (package && target) || same_file(old, new)
        });
        if let Some((old, _)) = found {
            pairs.insert(at, old);
        }
    }
    pairs
}

fn says(renames: &[Renaming], old: &str, new: &str) -> bool {
    let mut renames = renames.iter();
    renames.any(|renaming| renaming.applied(old).iter().any(|name| name == new))
}

/// Parts of a side's ids that may come from the revision or the run itself.
#[derive(Debug, Clone)]
pub(super) struct OwnWords {
    commit: String,
    committed_at: String,
    /// Days that a program or a commit may have written without separators (`20260102`): those of the commit and of the
    /// run, in any time zone. Other numbers of eight digits are sizes.
    days: BTreeSet<String>,
    folders: Vec<String>,
    side: &'static str,
}

impl OwnWords {
    pub(super) fn of(build: &Build, side: Side) -> OwnWords {
        let checkout = &build.checkout;
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        OwnWords {
            commit: checkout.revision.commit.clone(),
            committed_at: checkout.revision.committed_at.to_string(),
            days: [checkout.revision.committed_at, Timestamp::now().as_unix()]
                .into_iter()
                .flat_map(compact_days)
                .collect(),
            folders: vec![shown(&checkout.root), shown(&build.target_dir)],
            side: side.name(),
        }
    }

    /// `id` with signs in their places.
    fn without(&self, id: &str) -> String {
        static HASH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[0-9a-f]{7,40}").ok());
        static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let day = r"\b(\d{4})(-?)(\d{2})(-?)(\d{2})";
            Regex::new(&format!(
                r"{day}(?:[T_ -]?(\d{{2}})[:-]?(\d{{2}})(?:[:-]?\d{{2}})?Z?)?\b"
            ))
            .ok()
        });
        let mut id = id.to_owned();
        for folder in &self.folders {
            id = id.replace(folder.as_str(), "\u{1}folder");
        }
        if self.committed_at.len() > 8 {
            id = id.replace(&self.committed_at, "\u{1}time");
        }
        if let Some(hash) = &*HASH {
            let own = |found: &regex::Captures<'_>| match self.commit.starts_with(&found[0]) {
                true => "\u{1}commit".to_owned(),
                false => found[0].to_owned(),
            };
            id = hash.replace_all(&id, own).into_owned();
        }
        if let Some(date) = &*DATE {
            let certain = |found: &regex::Captures<'_>| match self.is_date(found) {
                true => "\u{1}date".to_owned(),
                false => found[0].to_owned(),
            };
            id = date.replace_all(&id, certain).into_owned();
        }
        let words = id.split_inclusive(['/', ' ']).map(|word| {
            let name = word.trim_end_matches(['/', ' ']);
            match name == self.side {
                true => format!("\u{1}side{}", &word[name.len()..]),
                false => word.to_owned(),
            }
        });
        words.collect()
    }
}

impl OwnWords {
    /// Whether what looks like a date is one: a day of the calendar with its separators, or without them one of the
    /// days on which this can have been written.
    fn is_date(&self, found: &regex::Captures<'_>) -> bool {
        let number = |group: usize| -> Option<u32> { found.get(group)?.as_str().parse().ok() };
        let within = |group: usize, least: u32, most: u32| {
            number(group).is_some_and(|number| (least..=most).contains(&number))
        };
        let is_time = found.get(6).is_none() || within(6, 0, 23) && within(7, 0, 59);
        let is_day = within(1, 1990, 2099) && within(3, 1, 12) && within(5, 1, 31);
        let is_separated = [2, 4]
            .iter()
            .all(|group| found.get(*group).is_some_and(|m| !m.is_empty()));
        let day = || format!("{}{}{}", &found[1], &found[3], &found[5]);
        is_time && is_day && (is_separated || self.days.contains(&day()))
    }
}

/// The days without separators on which it is this second somewhere.
fn compact_days(seconds: i64) -> [String; 3] {
    const DAY: i64 = 24 * 60 * 60;
    [-DAY, 0, DAY].map(|shift| Timestamp::from_unix(seconds + shift).day().replace('-', ""))
}

/// The ids that the sides call differently.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Renamed {
    /// By the head side's id, the base side's.
    pub(super) former: BTreeMap<String, String>,
    /// What was paired, as lower-case fragments.
    pub(super) notes: Vec<String>,
    /// What may be one, likewise.
    pub(super) guesses: Vec<String>,
}

/// Pairs the ids of a target that only one side has.
pub(super) fn pair_ids(
    base: &[&str],
    head: &[&str],
    own: &Paired<OwnWords>,
    renames: &[Renaming],
) -> Renamed {
    let mut gone: Vec<&str> = base
        .iter()
        .filter(|id| !head.contains(id))
        .copied()
        .collect();
    let mut new: Vec<&str> = head
        .iter()
        .filter(|id| !base.contains(id))
        .copied()
        .collect();
    let mut renamed = Renamed::default();
    let mut told = 0_usize;
    gone.retain(|old| {
        let Some(at) = new.iter().position(|new| says(renames, old, new)) else {
            return true;
        };
        let name = new.remove(at);
        told += 1;
        if told <= GUESSES {
            renamed.notes.push(format!(
                "`{old}` of the base side is `{name}` of the head side"
            ));
        }
        renamed.former.insert(name.to_owned(), (*old).to_owned());
        false
    });
    if told > GUESSES {
        let more = told - GUESSES;
        renamed.notes.push(format!(
            "{more} more benchmarks are compared under their new names"
        ));
    }
    let by_revision = pair_by_revision(&mut gone, &mut new, own, &mut renamed.former);
    if by_revision > 0 {
        let noun = if by_revision == 1 {
            "benchmark is"
        } else {
            "benchmarks are"
        };
        renamed.notes.push(format!(
            "{by_revision} {noun} paired although the id holds the revision's commit, a folder or a date"
        ));
    }
    renamed.guesses = guesses(&gone, &new);
    renamed
}

/// Pairs ids that are equal without the words of their revisions, and returns how many.
fn pair_by_revision(
    gone: &mut Vec<&str>,
    new: &mut Vec<&str>,
    own: &Paired<OwnWords>,
    former: &mut BTreeMap<String, String>,
) -> usize {
    let plain = |ids: &[&str], words: &OwnWords| -> Vec<String> {
        ids.iter().map(|id| words.without(id)).collect()
    };
    let (old_names, new_names) = (plain(gone, &own.base), plain(new, &own.head));
    let once = |name: &String, names: &[String]| names.iter().filter(|n| *n == name).count() == 1;
    let pairs: Vec<(&str, &str)> = gone
        .iter()
        .zip(&old_names)
        .filter(|(_, name)| once(name, &old_names) && once(name, &new_names))
        .filter_map(|(old, name)| {
            let at = new_names.iter().position(|other| other == name)?;
            Some((*old, new[at]))
        })
        .collect();
    for (old, name) in &pairs {
        gone.retain(|id| id != old);
        new.retain(|id| id != name);
        former.insert((*name).to_owned(), (*old).to_owned());
    }
    pairs.len()
}

/// Likely pairs, with the option to type. If a whole group was renamed, only the group is named.
pub(super) fn guesses(gone: &[&str], new: &[&str]) -> Vec<String> {
    let mut said = BTreeSet::new();
    let mut taken: Vec<&str> = Vec::new();
    for old in gone {
        let free = new.iter().filter(|name| !taken.contains(name)).copied();
        let Some(name) = most_alike(old, free) else {
            continue;
        };
        taken.push(name);
        let parts = |id: &'_ str| {
            id.split_once('/')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        };
        let (from, to) = match (parts(old), parts(name)) {
            (Some((from, rest)), Some((to, same))) if rest == same => (from, to),
            _ => ((*old).to_owned(), name.to_owned()),
        };
        said.insert(guess("", &from, &to));
    }
    said.into_iter().take(GUESSES).collect()
}

fn guess(what: &str, from: &str, to: &str) -> String {
    let word = quoted(&format!("{from}={to}"));
    format!(
        "{what}`{from}` is gone and `{to}` is new: if they are one, `--rename {word}` compares them"
    )
}

/// The same for bench targets that only one side has, by (package, target): pairs within one package, or with one
/// name in different packages.
pub(super) fn guess_targets(gone: &[(&str, &str)], new: &[(&str, &str)]) -> Vec<String> {
    let mut said = BTreeSet::new();
    for (package, target) in gone {
        let same_package: Vec<&str> = new
            .iter()
            .filter(|(other, _)| other == package)
            .map(|(_, target)| *target)
            .collect();
        let mut same_name = new.iter().filter(|(_, other)| other == target);
        if let Some(to) = most_alike(target, same_package.iter().copied()) {
            said.insert(guess("the bench target ", target, to));
        } else if let Some((to, _)) = same_name.next() {
            said.insert(guess("the package ", package, to));
        }
    }
    said.into_iter().take(GUESSES).collect()
}

/// The likely new name of `old`: the same name in another group, a name in the same group, or one with similar
/// spelling.
fn most_alike<'n>(old: &str, new: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let group = |id: &'_ str| id.rsplit_once('/').map(|(group, _)| group.to_owned());
    let rest = |id: &'_ str| id.split_once('/').map(|(_, rest)| rest.to_owned());
    let scored = new.map(|name| {
        let close = strsim::jaro_winkler(old, name);
        let same_rest = rest(old).is_some() && rest(old) == rest(name);
        let same_group = group(old).is_some() && group(old) == group(name);
        (
            close + f64::from(u8::from(same_rest)) * 2.0 + f64::from(u8::from(same_group)),
            name,
        )
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// Gives the base side's listing the names of the head side, and returns the names that the base side's processes
/// use.
pub(super) fn rename(
    listings: &mut Paired<Option<Listing>>,
    own: &Paired<OwnWords>,
    renames: &[Renaming],
) -> Renamed {
    let (Some(base), Some(head)) = (&mut listings.base, &listings.head) else {
        return Renamed::default();
    };
    let ids = |listing: &Listing| -> Vec<String> {
        listing
            .benchmarks
            .iter()
            .map(|listed| listed.id.clone())
            .collect()
    };
    let (old, new) = (ids(base), ids(head));
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    // A side that failed may have more benchmarks than it named.
    let failed = base.failure.is_some() || head.failure.is_some();
    let mut renamed = pair_ids(&old, &new, own, renames);
    if failed {
        renamed.guesses.clear();
    }
    let names: BTreeMap<&String, &String> = renamed.former.iter().map(|(n, o)| (o, n)).collect();
    for listed in &mut base.benchmarks {
        if let Some(name) = names.get(&listed.id) {
            listed.id = (*name).clone();
        }
    }
    let repeated = std::mem::take(&mut base.repeated).into_iter();
    base.repeated = repeated
        .map(|id| names.get(&id).map_or(id.clone(), |name| (*name).clone()))
        .collect();
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(side: Side, commit: &str) -> OwnWords {
        OwnWords {
            commit: commit.to_owned(),
            committed_at: "1767258000".to_owned(),
            days: compact_days(1_767_258_000).into_iter().collect(),
            folders: vec![format!("/cache/kept/{}", side.name())],
            side: side.name(),
        }
    }

    fn paired(base: &[&str], head: &[&str], renames: &[&str]) -> Renamed {
        let sides = Paired::new(
            own(Side::Base, "c0ffee0123456789c0ffee0123456789c0ffee01"),
            own(Side::Head, "badcafe123456789badcafe123456789badcafe1"),
        );
        let renames: Vec<Renaming> = renames.iter().map(|text| text.parse().unwrap()).collect();
        pair_ids(base, head, &sides, &renames)
    }

    fn former(renamed: &Renamed) -> Vec<(&str, &str)> {
        let pairs = renamed.former.iter();
        pairs
            .map(|(new, old)| (old.as_str(), new.as_str()))
            .collect()
    }

    #[test]
    fn ids_that_hold_the_commit_a_folder_or_a_date_are_one() {
        for (old, new) in [
            ("of c0ffee012", "of badcafe12"),
            (
                "fib-c0ffee0123456789c0ffee0123456789c0ffee01/3",
                "fib-badcafe123456789badcafe123456789badcafe1/3",
            ),
            ("in /cache/kept/base/data", "in /cache/kept/head/data"),
            ("base/load", "head/load"),
            ("run 2026-01-02", "run 2026-01-03"),
            ("run 2026-01-02T10:11:12Z", "run 2026-01-02T10:12:00Z"),
            ("20260101/x", "20260102/x"),
            ("run 20260101T101112", "run 20260102T101213"),
        ] {
            let renamed = paired(&[old, "same"], &["same", new], &[]);
            assert_eq!(former(&renamed), [(old, new)]);
            assert_eq!(renamed.notes.len(), 1, "{renamed:?}");
        }
        // Somebody else's hash, a number that is no date, and what is not one for sure.
        for (old, new) in [
            (&["of aaaaaaa"][..], &["of bbbbbbb"][..]),
            (&["sort 100"], &["sort 200"]),
            // Sizes of eight digits, one of which would be a day.
            (&["sort/16777216"], &["sort/67108864"]),
            (&["sort/20210102"], &["sort/20220304"]),
            (&["sort/20260101101112"], &["sort/20260101996112"]),
            (&["run 2026-13-02"], &["run 2026-14-02"]),
            (&["run 2026-01-02", "run 2026-01-03"], &["run 2026-02-02"]),
        ] {
            assert_eq!(former(&paired(old, new, &[])), []);
        }
    }

    #[test]
    fn what_somebody_says_is_one_is_and_what_may_be_is_named() {
        let base = ["fold/chained", "sum/1", "sum/2"];
        let head = ["fold/codeword", "total/1", "total/2"];
        let said = paired(&base, &head, &["fold/chained=fold/codeword", "sum=total"]);
        let expected = [
            ("fold/chained", "fold/codeword"),
            ("sum/1", "total/1"),
            ("sum/2", "total/2"),
        ];
        assert_eq!(former(&said), expected);
        assert!(said.guesses.is_empty());
        let unsaid = paired(&base, &head, &[]);
        assert_eq!(former(&unsaid), []);
        let told = [
            "`fold/chained` is gone and `fold/codeword` is new: if they are one, \
             `--rename fold/chained=fold/codeword` compares them",
            "`sum` is gone and `total` is new: if they are one, `--rename sum=total` compares them",
        ];
        assert_eq!(unsaid.guesses, told);
        assert!(paired(&["parse"], &["render"], &[]).guesses.is_empty());
    }

    #[test]
    fn targets_that_may_be_one_are_named_with_their_package_or_their_own_name() {
        let told = guess_targets(&[("p", "fold_old")], &[("p", "fold_new"), ("q", "sum")]);
        assert_eq!(told, [guess("the bench target ", "fold_old", "fold_new")]);
        let told = guess_targets(
            &[("p", "sum"), ("p", "fold")],
            &[("q", "sum"), ("q", "fold")],
        );
        assert_eq!(told, [guess("the package ", "p", "q")]);
        assert!(guess_targets(&[("p", "sum")], &[("p", "parse")]).is_empty());
    }

    #[test]
    fn many_renamed_ids_are_told_in_few_words() {
        let ids = |group: &str| -> Vec<String> { (0..9).map(|n| format!("{group}/{n}")).collect() };
        let (old, new) = (ids("old"), ids("new"));
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let renamed = paired(&old, &new, &["old=new"]);
        assert_eq!(renamed.former.len(), 9);
        assert_eq!(renamed.notes.len(), GUESSES + 1);
        assert_eq!(paired(&old, &new, &[]).guesses.len(), 1);
    }
}
