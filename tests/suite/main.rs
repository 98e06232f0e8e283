//! One integration binary, many modules; names are sentences.

mod architecture;
