//! Reading one entry of a list: `[[benchmark]]` or `[[budget]]`.

use super::super::PlanError;
use super::ValueOrigin;
use super::pattern::{Pattern, Selector};

/// Whose benchmarks an entry may speak of.
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

    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, PlanError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let text = value.as_str();
        text.map(Some)
            .ok_or_else(|| self.invalid(key, "it must be a string"))
    }

    pub(super) fn switch(&self, key: &str) -> Result<Option<bool>, PlanError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let on = value.as_bool();
        on.map(Some)
            .ok_or_else(|| self.invalid(key, "it must be `true` or `false`"))
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
