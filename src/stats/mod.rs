//! Estimates, intervals and decisions from slices of numbers; pure.
