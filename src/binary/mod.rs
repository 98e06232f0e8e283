//! The contents of executables and libraries, and what differs between two of them.
//!
//! | in | question |
//! |---|---|
//! | [`mod@file`], [`loader`] | what does a file say: symbols, sections, the libraries that it needs? |
//! | [`symbolizer`] | which functions and lines does an address belong to? |
//! | [`image`] | what does the loader map? |
//! | [`tree`], [`panic_location`] | what is different only because it lies in another folder, or on another line? |
//! | [`identity`] | are two executables the same loadable code? |
//! | [`function_diff`] | which functions differ? |
//! | [`function_order`] | in which order may both be linked, so that a function has the same address in both? |

mod file;
mod function_diff;
mod function_order;
mod identity;
mod image;
mod loader;
mod name;
mod panic_location;
mod symbolizer;
mod tree;

pub(crate) use file::{Binary, Symbol};
pub use function_diff::{ChangedFunction, FunctionDifference, Unclear, changed_functions};
pub(crate) use function_order::{CodeLayout, FunctionOrder};
pub(crate) use identity::code_difference;
pub(crate) use loader::needed_libraries;
pub(crate) use symbolizer::{Frame, Symbols};
pub use tree::Tree;
pub(crate) use tree::equalise_folders;
