//! Reading one entry of a list: `[[benchmark]]`, `[[budget]]` or `[[workload]]`.

use super::super::PlanError;
use super::ValueOrigin;
use super::pattern::{Pattern, Selector};

/// A key of an entry. The list of known keys, the reader and the schema are all made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryKey {
    pub(super) name: &'static str,
    pub(super) kind: EntryKind,
    pub(super) help: &'static str,
}

/// What a key of an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// Text: a glob, a share, a time, or an amount per second.
    Text,
    /// `true` or `false`.
    Switch,
    /// A number, zero included.
    Number,
    /// A number of bytes, with or without a unit.
    Size,
    /// Whole numbers.
    Numbers,
    /// A table of texts.
    Texts,
    /// A table of metrics, each a direction or a table.
    Metrics,
    /// A table of lists.
    Lists,
    /// A list of words.
    Words,
    /// A table with keys of its own.
    Table(&'static [EntryKey]),
    /// A list of tables with keys of their own.
    Tables(&'static [EntryKey]),
}

impl EntryKey {
    pub(super) const fn text(name: &'static str, help: &'static str) -> EntryKey {
        EntryKey {
            name,
            kind: EntryKind::Text,
            help,
        }
    }

    pub(super) const fn of(name: &'static str, kind: EntryKind, help: &'static str) -> EntryKey {
        EntryKey { name, kind, help }
    }
}

/// Which benchmarks an entry applies to: the first keys of every entry.
pub(super) const MATCH: EntryKey = EntryKey::text(
    "match",
    "Glob of the benchmark's id; `*` also matches `/` [default: *]",
);
pub(super) const PACKAGE: EntryKey =
    EntryKey::text("package", "Glob of the package's name [default: *]");
pub(super) const TARGET: EntryKey =
    EntryKey::text("target", "Glob of the bench target's name [default: *]");

/// Which packages' benchmarks an entry may apply to.
#[derive(Debug, Clone, Copy)]
pub(super) enum EntryScope<'a> {
    /// All of the workspace's.
    Workspace,
    /// This package's only.
    Package(&'a str),
}

/// Reads the values of one entry, with errors that say where it stands.
pub(super) struct EntryReader<'a> {
    pub(super) table: &'a toml::Table,
    /// The keys that it may have.
    pub(super) keys: &'a [EntryKey],
    pub(super) scope: EntryScope<'a>,
    pub(super) origin: &'a ValueOrigin,
    /// What the entry is, as a message names it: `a benchmark`.
    pub(super) what: &'static str,
}

impl EntryReader<'_> {
    pub(super) fn invalid(&self, key: &str, problem: impl Into<String>) -> PlanError {
        let value = self.table.get(key);
        PlanError::InvalidValue {
            origin: format!("`{key}` of {} in {}", self.what, self.origin),
            value: value.map(ToString::to_string).unwrap_or_default(),
            problem: problem.into(),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key, which must be in the table of keys with this kind.
    fn value(&self, key: &str, kind: EntryKind) -> Option<&toml::Value> {
        let mut known = self.keys.iter();
        debug_assert!(
            known.any(|known| known.name == key && known.kind == kind),
            "{key} is not among the keys of {}",
            self.what
        );
        self.table.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Text) else {
            return Ok(None);
        };
        let text = value.as_str();
        text.map(Some)
            .ok_or_else(|| self.invalid(key, "it must be a string"))
    }

    pub(super) fn switch(&self, key: &str) -> Result<Option<bool>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Switch) else {
            return Ok(None);
        };
        let on = value.as_bool();
        on.map(Some)
            .ok_or_else(|| self.invalid(key, "it must be `true` or `false`"))
    }

    /// Whole numbers from zero on.
    pub(super) fn number(&self, key: &str) -> Result<Option<usize>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Number) else {
            return Ok(None);
        };
        let number = value.as_integer().and_then(|n| usize::try_from(n).ok());
        number
            .map(Some)
            .ok_or_else(|| self.invalid(key, "it must be a whole number"))
    }

    pub(super) fn numbers(&self, key: &str) -> Result<Option<Vec<i32>>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Numbers) else {
            return Ok(None);
        };
        let number = |value: &toml::Value| i32::try_from(value.as_integer()?).ok();
        let numbers: Option<Vec<i32>> = match value.as_array() {
            Some(list) if !list.is_empty() => list.iter().map(number).collect(),
            _ => None,
        };
        numbers
            .map(Some)
            .ok_or_else(|| self.invalid(key, "it must be a list of numbers, for example `[0, 1]`"))
    }

    /// The entries of a table, whatever they hold.
    pub(super) fn entries(&self, key: &str) -> Result<Vec<(&str, &toml::Value)>, PlanError> {
        let Some(value) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let Some(table) = value.as_table() else {
            return Err(self.invalid(key, "it must be a table"));
        };
        let entries = table.iter();
        Ok(entries
            .map(|(name, value)| (name.as_str(), value))
            .collect())
    }

    /// The entries of a table.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<(&str, &str)>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Texts) else {
            return Ok(Vec::new());
        };
        let texts: Option<Vec<(&str, &str)>> = value.as_table().and_then(|table| {
            let entries = table.iter();
            entries
                .map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .collect()
        });
        texts.ok_or_else(|| self.invalid(key, "it must be a table of strings"))
    }

    pub(super) fn words(&self, key: &str) -> Result<Option<Vec<&str>>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Words) else {
            return Ok(None);
        };
        let words = value.as_array().map(|list| list.iter());
        let words: Option<Vec<&str>> =
            words.and_then(|list| list.map(toml::Value::as_str).collect());
        words
            .map(Some)
            .ok_or_else(|| self.invalid(key, "it must be a list of strings"))
    }

    /// A table with keys of its own.
    pub(super) fn table(&self, key: &str) -> Result<Option<&toml::Table>, PlanError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let list = self.what.rsplit(' ').next().unwrap_or_default();
        value
            .as_table()
            .map(Some)
            .ok_or_else(|| self.invalid(key, format!("it is written `[{list}.{key}]`")))
    }

    /// The entries of a list of tables.
    pub(super) fn tables(
        &self,
        key: &str,
        keys: &'static [EntryKey],
    ) -> Result<Vec<&toml::Table>, PlanError> {
        let Some(value) = self.value(key, EntryKind::Tables(keys)) else {
            return Ok(Vec::new());
        };
        let tables = value.as_array().map(|list| list.iter());
        let tables: Option<Vec<&toml::Table>> =
            tables.and_then(|list| list.map(toml::Value::as_table).collect());
        tables.ok_or_else(|| {
            let list = self.what.rsplit(' ').next().unwrap_or_default();
            self.invalid(key, format!("its entries are written `[[{list}.{key}]]`"))
        })
    }

    pub(super) fn parsed<T: std::str::FromStr<Err = String>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, PlanError> {
        let text = self.text(key)?;
        text.map(|text| {
            text.parse()
                .map_err(|problem: String| self.invalid(key, problem))
        })
        .transpose()
    }

    /// Which benchmarks it speaks of.
    pub(super) fn selector(&self) -> Result<Selector, PlanError> {
        Ok(Selector {
            package: self.package()?,
            target: self.pattern("target")?,
            id: self.pattern("match")?,
        })
    }

    /// Which packages it speaks of.
    pub(super) fn package(&self) -> Result<Pattern, PlanError> {
        match self.scope {
            EntryScope::Workspace => self.pattern("package"),
            EntryScope::Package(name) => self.glob("package", &globset::escape(name)),
        }
    }

    pub(super) fn pattern(&self, key: &str) -> Result<Pattern, PlanError> {
        self.glob(key, self.text(key)?.unwrap_or("*"))
    }

    fn glob(&self, key: &str, text: &str) -> Result<Pattern, PlanError> {
        Pattern::new(text).map_err(|error| self.invalid(key, error.to_string()))
    }
}
