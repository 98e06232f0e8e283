//! Progress on stderr, from events.
