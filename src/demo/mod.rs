//! The sample repository that travels inside the binary.
