//! How much is shown. A report too long for a comment is written again with less of it, whole rows
//! and sections at a time, and says what is left out, for which it refers to the artifact.

/// How much of each part is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detail {
    /// Rows of changed benchmarks.
    pub(super) changed: usize,
    /// Rows of unchanged benchmarks.
    pub(super) quiet: usize,
    /// Rows of the baseline table.
    pub(super) baseline: usize,
    /// Entries of every list.
    pub(super) list: usize,
    /// Lines of what a failed benchmark wrote.
    pub(super) stderr_lines: usize,
    /// Characters of any text from elsewhere.
    pub(super) text: usize,
}

impl Detail {
    /// From everything to what always fits.
    pub(super) const LEVELS: [Detail; 9] = [
        Detail::level(usize::MAX, usize::MAX, usize::MAX, 100, 40, 300),
        Detail::level(usize::MAX, 200, 200, 50, 20, 200),
        Detail::level(usize::MAX, 100, 100, 30, 20, 200),
        Detail::level(usize::MAX, 50, 50, 20, 10, 160),
        Detail::level(300, 20, 20, 20, 10, 160),
        Detail::level(150, 0, 10, 10, 5, 120),
        Detail::level(70, 0, 0, 10, 5, 120),
        Detail::level(30, 0, 0, 5, 3, 100),
        Detail::level(10, 0, 0, 3, 0, 60),
    ];

    const fn level(
        changed: usize,
        quiet: usize,
        baseline: usize,
        list: usize,
        stderr_lines: usize,
        text: usize,
    ) -> Detail {
        Detail {
            changed,
            quiet,
            baseline,
            list,
            stderr_lines,
            text,
        }
    }
}

/// A list split into what is shown and how many are not.
pub(super) fn split<T>(all: &[T], limit: usize) -> (&[T], usize) {
    let shown = all.len().min(limit);
    (&all[..shown], all.len() - shown)
}
