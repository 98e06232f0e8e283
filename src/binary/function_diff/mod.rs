//! Which functions of two executables differ, whatever moved.
//!
//! A function is the same where its instructions are the same and refer to the same things:
//! functions that are matched by name (each of which is compared in its own right), data
//! that is the same, imports of one name, panic locations that have moved with their code. All else
//! counts as different. If something differs that no function refers to, nothing is known. So the
//! answer may name far too much, but it never leaves out a difference.
//!
//! | in | question |
//! |---|---|
//! | [`program`], [`symbol_table`] | what is in an executable? |
//! | [`code`], [`distance_tables`] | what does one function do, and what does it refer to? |
//! | [`pairing`] | which function is which on the other side? |
//! | [`cuts`], [`data`], [`segments`] | which constants and variables are the same? |
//! | [`outside_functions`] | does something differ that belongs to no function? |
//! | [`comparison`] | which functions are the same? |
//! | [`operations`], [`divergence`] | where within a function does its execution begin to differ? |
//!
//! The tables of the unwinder are not compared: they follow the code, and benchmarks do not measure
//! what a panic does.

mod code;
mod comparison;
mod cuts;
mod data;
mod distance_tables;
mod divergence;
mod operations;
mod outside_functions;
mod pairing;
mod program;
mod segments;
mod sides;
mod symbol_table;

use std::ops::Range;
use std::path::Path;

use crate::units::{Paired, Side};

use super::identity::Executables;
use super::tree::Tree;
use code::Body;
use comparison::FunctionComparison;
use cuts::Cuts;
use pairing::FunctionPairing;
use program::Program;
use sides::Sides;

/// Why the functions of two executables cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unclear {
    reason: String,
}

impl Unclear {
    /// For this reason, a lower-case fragment.
    pub fn because(reason: impl Into<String>) -> Unclear {
        Unclear {
            reason: reason.into(),
        }
    }
}

/// A function that is not the same on both sides, or is on one side only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFunction {
    /// Its name without hashes; several, with ` = ` between them, where they share their code.
    pub name: String,
    /// Where its code lies in each executable, as in the symbol table.
    pub code: Paired<Option<Range<u64>>>,
    /// On each side, the addresses at which control enters code that the other side does not have: a process that
    /// passes none of them executes the same code as the other side. Where these are unknown, the first address of
    /// the function.
    pub entries: Paired<Vec<u64>>,
    /// What about it.
    pub difference: FunctionDifference,
}

impl ChangedFunction {
    fn address(&self, side: Side) -> Option<u64> {
        self.code.get(side).as_ref().map(|code| code.start)
    }
}

/// What differs about a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionDifference {
    /// Its instructions, or it exists on one side only.
    Code,
    /// Something that it refers to, as far as perfcheck can tell.
    Reference,
}

/// The functions that differ between two executables, by address of the head side (then of the
/// base side); the head's folders are taken for the base's.
///
/// # Errors
/// The reason, as a lower-case fragment, why they are unknown: an architecture other than x86-64, a
/// fixed address, no symbols, or a difference that belongs to no function.
pub fn changed_functions(
    executables: Paired<&Path>,
    trees: Paired<Tree<'_>>,
) -> Result<Vec<ChangedFunction>, Unclear> {
    let executables = Executables::read(executables, trees)
        .map_err(|error| Unclear::because(error.to_string()))?;
    let images = executables.images().map_err(Unclear::because)?;
    let programs = images.try_map(Program::of)?;
    outside_functions::compare(&programs)?;
    let sources = executables.sources();
    let bodies = Paired::from_fn(|side| {
        let program = programs.get(side);
        let bodies = program.functions.iter();
        bodies
            .map(|function| Body::decode(program, function))
            .collect::<Vec<_>>()
    });
    let cuts = Paired::from_fn(|side| {
        let words = |address| sources.words(side, &programs.get(side).image, address);
        Cuts::of(programs.get(side), bodies.get(side), words)
    });
    let pairing = FunctionPairing::of(&programs, &bodies, &cuts);
    let sides = Sides {
        programs: &programs,
        pairing: &pairing,
        cuts: &cuts,
    };
    FunctionComparison::of(sides, &bodies)?.changed()
}

#[cfg(test)]
mod tests;
