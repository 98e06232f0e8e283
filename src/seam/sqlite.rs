//! SQLite, as far as it is linked into an executable.

use super::hooks::{self, Entry};
use super::layout;
use crate::binary::{Binary, Symbol};

/// What every SQLite has in its data: what a database file begins with, and one of its messages.
const SIGNATURES: [&[u8]; 2] = [b"SQLite format 3\0", b"bad parameter or other API misuse"];

/// SQLite, as far as it is linked into an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SqliteCode {
    /// Its functions, in the order of [`layout::SQLITE_FUNCTIONS`]: none where it is not in the executable, or only
    /// those that the linker has kept.
    Functions(Vec<Option<Entry>>),
    /// It is there, but no symbol says where.
    Nameless,
}

impl SqliteCode {
    /// None.
    pub(super) const NONE: SqliteCode = SqliteCode::Functions(Vec::new());

    /// What an executable of these bytes has of it.
    pub(super) fn of(file: &Binary<'_>, functions: &[Symbol<'_>], bytes: &[u8]) -> SqliteCode {
        let entries = layout::SQLITE_FUNCTIONS.map(|name| {
            let name = name.to_bytes();
            let mut found = functions.iter().filter(|one| one.name.as_bytes() == name);
            found.next().map(|function| hooks::entry(file, function))
        });
        let is_known = entries.iter().any(Option::is_some);
        let has = |signature: &[u8]| {
            let mut windows = bytes.windows(signature.len());
            windows.any(|window| window == signature)
        };
        let is_there = || SIGNATURES.into_iter().all(has);
        match is_known || !is_there() {
            true => SqliteCode::Functions(entries.into()),
            false => SqliteCode::Nameless,
        }
    }

    /// The functions that have to be redirected.
    pub(super) fn entries(&self) -> &[Option<Entry>] {
        match self {
            SqliteCode::Functions(entries) => entries,
            SqliteCode::Nameless => &[],
        }
    }
}
