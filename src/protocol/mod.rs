//! Criterion's machine protocol, unchanged from 0.3.3 to 0.8: handshake, frames of CBOR, and the
//! gate after each benchmark.
