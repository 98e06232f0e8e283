//! Why services cannot be compared at all.

use std::path::PathBuf;

use crate::load_generator::LoadError;

/// Why services cannot be compared at all.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The load generator is not there.
    #[error("the load generator `{}` is not there", path.display())]
    NoGenerator {
        /// Where it should be.
        path: PathBuf,
    },
    /// A header refers to a variable that is not set.
    #[error("the header `{header}` of `{service}` is `${variable}`, which is not set")]
    NoVariable {
        /// The service.
        service: String,
        /// The header.
        header: String,
        /// The variable.
        variable: String,
    },
    /// The load generator does not do what is asked.
    #[error("`{service}` cannot be loaded")]
    Impossible {
        /// The service.
        service: String,
        /// What is asked for.
        source: LoadError,
    },
}

impl ServiceError {
    /// What the user can try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            ServiceError::NoGenerator { .. } => {
                Some("`cargo install cargo-perfcheck` installs it beside this program".to_owned())
            }
            ServiceError::Impossible { source, .. } => source.hint(),
            ServiceError::NoVariable { variable, .. } => Some(format!("`export {variable}=…`")),
        }
    }
}
