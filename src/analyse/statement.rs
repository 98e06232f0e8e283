//! Statements of a database that programs run more or less often than before.

use serde::{Deserialize, Serialize};

use crate::measure::CodeOwner;
use crate::units::Paired;

/// A statement of a database that one side runs more often than the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementChange {
    /// Its text, with `?` for each literal; long texts are cut.
    pub text: String,
    /// How often a run of each side has it executed.
    pub count: Paired<f64>,
    /// What its executions look like together, where that has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<StatementPattern>,
    /// The innermost function of the workspace (or of a dependency where none is) where the increase comes from; of
    /// several the innermost that the other side does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `path:line` in it, relative to the repository, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whose code that is.
    #[serde(default)]
    pub origin: CodeOwner,
    /// The call stack that runs it most often from there, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<String>,
}

/// What the executions of a statement look like together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatementPattern {
    /// The same statement again and again, where the base side runs it less often: a query in a loop.
    NPlusOne,
}
