//! Builds that fail because a file that git does not track is missing.

use std::path::Path;

use crate::revision::{self, Checkout};

use super::error::BuildError;

/// `error`; or, if its message names a file that only the user's checkout has, an error that says so.
pub(super) fn explain(error: BuildError, checkout: &Checkout, workspace: &Path) -> BuildError {
    let words = match &error {
        BuildError::DoesNotCompile { errors, .. } => errors,
        BuildError::ToolFailed { message, .. } => message,
        _ => return error,
    };
    let folder = checkout.root.join(checkout.folder());
    match revision::left_behind(words, checkout, &[workspace, &folder]) {
        Some(path) => BuildError::LeftBehind {
            path,
            cause: Box::new(error),
        },
        None => error,
    }
}
