//! Statements that SQLite runs for whole programs, counted in the pass that counts their allocations.

use super::allocations::AllocationSeam;
use super::sqlite::SqliteCode;
use super::stacks::{AddressStack, AddressStacks};
use super::{SeamError, layout};
use crate::units::Side;

/// With the call stacks of so many statements, those of a process's further ones are not recorded.
pub const MOST_STATEMENT_STACKS: u64 = layout::TRACE_MOST_STATEMENTS;

/// What was seen of the statements of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueriesSeen {
    /// It has no SQLite, as far as can be seen.
    NoDatabase,
    /// It has one, and its statements were counted.
    Counted(ProgramQueries),
    /// It has one whose statements cannot be counted.
    Unknown {
        /// Why, as a lower-case fragment.
        reason: &'static str,
    },
}

/// The statements of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramQueries {
    /// How often statements were run.
    pub run: u64,
    /// How many of these belong to none of the statements below.
    pub lost: u64,
    /// Each statement.
    pub statements: Vec<StatementRuns>,
}

/// A statement, and how often a process ran it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementRuns {
    /// Its text without literals, perhaps cut.
    pub text: String,
    /// How often.
    pub runs: u64,
}

/// A call stack that ran a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementStack {
    /// The statement's text.
    pub text: String,
    /// Its calls, and as its requests how often they ran the statement.
    pub stack: AddressStack,
}

impl AllocationSeam {
    /// The statements of the process of `side`, which stands still at its end.
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn take_queries(&self, side: Side) -> Result<QueriesSeen, SeamError> {
        let channel = self.seam.channels.get(side);
        let unknown = |reason| Ok(QueriesSeen::Unknown { reason });
        if self.symbols.get(side).sqlite == SqliteCode::Nameless {
            return unknown(
                "SQLite is linked into it without symbols, so its queries cannot be counted",
            );
        }
        match channel.get(layout::STATEMENTS_STATE)? {
            layout::SHIM_NONE => return Ok(QueriesSeen::NoDatabase),
            layout::SHIM_HOOKED => {}
            layout::SHIM_REFUSED => {
                return unknown(
                    "SQLite is linked into it, and the system did not let perfcheck redirect its calls, so its queries \
                     are not counted",
                );
            }
            layout::SHIM_UNKNOWN => {
                return unknown(
                    "SQLite is linked into it, and its code has a form that perfcheck cannot redirect, so its queries \
                     are not counted",
                );
            }
            layout::SHIM_APART => {
                return unknown(
                    "it loads SQLite in a way that hides the calls, so its queries are not counted",
                );
            }
            layout::SHIM_DEAF => {
                return unknown(
                    "the process has no thread-specific key left for counting its queries",
                );
            }
            _ => {
                return unknown(
                    "it has too many prepared statements at a time to count its queries",
                );
            }
        }
        let runs = self.statements(side)?.into_iter().flatten();
        let mut statements: Vec<StatementRuns> = runs.filter(|one| one.runs > 0).collect();
        statements.sort();
        Ok(QueriesSeen::Counted(ProgramQueries {
            run: channel.get(layout::STATEMENTS_RUN)?,
            lost: channel.get(layout::STATEMENTS_LOST)?,
            statements,
        }))
    }

    /// The call stacks from which the process `pid` of `side`, which is held, ran statements.
    ///
    /// # Errors
    /// If the shared file, or what the process has mapped, cannot be read.
    pub fn take_statement_stacks(
        &self,
        side: Side,
        pid: u32,
    ) -> Result<Vec<StatementStack>, SeamError> {
        let channel = self.seam.channels.get(side);
        let mut rows = channel.stacks()?;
        rows.retain(|row| row[layout::TRACE_STATEMENT] > 0);
        let statements = self.statements(side)?;
        let maps = fs_err::read_to_string(format!("/proc/{pid}/maps"))?;
        let probe = fs_err::canonicalize(self.seam.library.path())?;
        let stacks = AddressStacks::of(&rows, 0, &maps, &probe).stacks;
        let stacks = rows.iter().zip(stacks).filter_map(|(row, stack)| {
            let number = usize::try_from(row[layout::TRACE_STATEMENT]).ok()?;
            let statement = statements.get(number.checked_sub(1)?)?.as_ref()?;
            Some(StatementStack {
                text: statement.text.clone(),
                stack,
            })
        });
        Ok(stacks.collect())
    }

    /// The rows of the table of statements; `None` for those without one.
    fn statements(&self, side: Side) -> Result<Vec<Option<StatementRuns>>, SeamError> {
        let rows = self.seam.channels.get(side).statements()?;
        Ok(rows.iter().map(|row| statement(row)).collect())
    }
}

fn statement(row: &[u64]) -> Option<StatementRuns> {
    let length = usize::try_from(row[layout::STATEMENT_LENGTH]).ok()?;
    let words = row[layout::STATEMENT_TEXT..].iter();
    let bytes: Vec<u8> = words
        .flat_map(|word| word.to_ne_bytes())
        .take(length)
        .collect();
    (row[layout::STATEMENT_HASH] != 0).then(|| StatementRuns {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        runs: row[layout::STATEMENT_RUNS],
    })
}
