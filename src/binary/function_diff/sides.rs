//! Both executables, for questions about their data.

use crate::units::Paired;

use super::cuts::Cuts;
use super::pairing::FunctionPairing;
use super::program::Program;

/// Both sides, read-only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) programs: &'a Paired<Program<'a>>,
    pub(super) pairing: &'a FunctionPairing,
    pub(super) cuts: &'a Paired<Cuts>,
}
