//! From one [`Report`] to bytes: every renderer is a pure function of it.

mod model;

pub use model::*;
