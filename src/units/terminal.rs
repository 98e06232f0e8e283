//! What a terminal can show, decided once at the edge and handed down as values.

/// Whether text carries colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Colour {
    /// Plain text.
    Never,
    /// ANSI escape sequences.
    Ansi,
}

/// Which characters may be drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charset {
    /// Symbols and line drawing.
    Unicode,
    /// perfcheck writes ASCII only; names keep their characters.
    Ascii,
}
