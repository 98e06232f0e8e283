//! From profiles to the functions that a change of time comes from.
//!
//! A sample belongs to one *site*: the innermost function on its stack whose code the project can
//! change (its own, or a dependency's whose version differs between the sides). The code that such a
//! function calls elsewhere counts for it. So the shares of all sites add up to the whole time, and
//! their changes add up to the measured change; nothing counts twice.

mod advice;
mod artifacts;
mod blame;
mod build_changes;
mod cause_finder;
mod code;
mod counted_stacks;
mod crate_path;
mod estimate;
mod folders;
mod heap;
mod hunks;
mod items;
mod matching;
mod model;
mod names;
mod origin;
mod places;
mod public_path;
mod ranking;
mod resolution;
mod shares;
mod signature;
mod site;
mod sites;
mod skeleton;
mod source;
mod source_change;
mod stacks;
mod touched;
mod wanted;

pub use artifacts::{Artifact, artifacts, graphs};
pub use cause_finder::{Attributed, CauseFinder, unresolved};
pub use folders::Folders;
pub use heap::allocation_artifacts;
pub use model::*;
pub use places::{PlaceHunks, hunks_of_places};
pub use skeleton::{Skeleton, skeleton};
pub use touched::{TouchedFunction, is_documentation, touched_functions};
pub use wanted::{ToProfile, wanted, wanted_more};

#[cfg(test)]
mod tests;
