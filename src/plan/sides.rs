//! What both sides have in common in addition to their revisions.

use std::path::{Component, Path};

use globset::{Glob, GlobBuilder};

/// What both sides have in common.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Both sides")]
pub struct SidesArgs {
    /// Bring files that git does not track, such as downloaded data or `.env`, to both sides; written as in
    /// `.gitignore`
    #[arg(long, value_name = "GLOB")]
    pub carry: Vec<Carry>,
    /// Compare a benchmark, a group of them, a bench target or a package that was renamed
    #[arg(long, value_name = "OLD=NEW")]
    pub rename: Vec<Renaming>,
}

/// Files to bring to both sides, as a line of `.gitignore` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carry {
    text: String,
    glob: Glob,
}

impl Carry {
    /// Matches paths from the top of the repository.
    #[must_use]
    pub fn glob(&self) -> &Glob {
        &self.glob
    }
}

impl std::fmt::Display for Carry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Carry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.trim_start_matches("./").trim_end_matches('/');
        let anywhere = !plain.contains('/');
        let plain = plain.trim_start_matches('/');
        let mut parts = Path::new(plain).components();
        if plain.is_empty() || parts.any(|part| part == Component::ParentDir) {
            return Err("it must name files of the repository, from its top".to_owned());
        }
        let pattern = match anywhere {
            true => format!("**/{plain}"),
            false => plain.to_owned(),
        };
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
        Ok(Carry {
            glob: glob.map_err(|error| error.to_string())?,
            text: text.to_owned(),
        })
    }
}

/// `old=new`: the names on the base side and on the head side of the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renaming(String);

impl Renaming {
    /// Both names. Ids may contain `=`, too: then there are several ways to split the text.
    pub fn readings(&self) -> impl Iterator<Item = (&str, &str)> {
        let signs = self.0.match_indices('=');
        signs.map(|(at, _)| (&self.0[..at], &self.0[at + 1..]))
    }

    /// The names that `old` may have on the head side, if this renames it or a group that it is in.
    #[must_use]
    pub fn applied(&self, old: &str) -> Vec<String> {
        let new = |(from, to): (&str, &str)| match old.strip_prefix(from) {
            Some("") => Some(to.to_owned()),
            Some(rest) if rest.starts_with('/') => Some(format!("{to}{rest}")),
            _ => None,
        };
        self.readings().filter_map(new).collect()
    }
}

impl std::fmt::Display for Renaming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Renaming {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let renaming = Renaming(text.to_owned());
        let whole = |(old, new): (&str, &str)| !old.is_empty() && !new.is_empty();
        if renaming.readings().any(whole) {
            return Ok(renaming);
        }
        Err("it must be the old name, `=`, and the new name".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_in_gitignore() {
        let matches = |pattern: &str, path: &str| {
            let carry: Carry = pattern.parse().unwrap();
            carry.glob().compile_matcher().is_match(path)
        };
        assert!(matches("data/**", "data/a/b.txt"));
        assert!(!matches("data/**", "bench/data/a.txt"));
        assert!(matches("data/*.txt", "data/a.txt"));
        assert!(!matches("data/*.txt", "data/a/b.txt"));
        assert!(matches(".env", "bench/.env") && matches(".env", ".env"));
        assert!(matches("/.env", ".env") && !matches("/.env", "bench/.env"));
        assert!(matches("data/", "bench/data"));
        for pattern in ["", "/", "../data", "data/../../x", "a[b"] {
            assert!(pattern.parse::<Carry>().is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_renaming_is_of_a_name_or_of_a_group() {
        let applied = |renaming: &str, old: &str| {
            let renaming: Renaming = renaming.parse().unwrap();
            renaming.applied(old)
        };
        assert_eq!(applied("fold/a=fold/b", "fold/a"), ["fold/b"]);
        assert_eq!(applied("fold=bend", "fold/a/3"), ["bend/a/3"]);
        assert!(applied("fold=bend", "folded/a").is_empty());
        assert_eq!(applied("n=1=n=2", "n=1"), ["n=2"]);
        for text in ["fold", "=fold", "fold="] {
            assert!(text.parse::<Renaming>().is_err(), "{text}");
        }
    }
}
