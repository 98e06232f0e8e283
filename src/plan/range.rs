//! The forms of a range.

/// Which two revisions, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeSpec {
    /// `A..B`; `A..` has `HEAD` for B.
    Between {
        /// The base revision.
        base: String,
        /// The head revision.
        head: String,
    },
    /// `A...B`: from the merge base of both to B.
    SinceMergeBase {
        /// The branch that was left.
        base: String,
        /// The branch that holds the change.
        head: String,
    },
    /// `A`: to the working tree, uncommitted changes included.
    ToWorkingTree {
        /// The base revision.
        base: String,
    },
    /// Nothing typed: from the merge base with the default branch to the working tree.
    Default,
}

impl RangeSpec {
    /// Reads a range as typed; `None` means no argument at all. `revision/` checks whether the
    /// names exist.
    #[must_use]
    pub fn parse(text: Option<&str>) -> RangeSpec {
        let or_head = |name: &str| {
            if name.is_empty() {
                "HEAD".to_owned()
            } else {
                name.to_owned()
            }
        };
        let Some(text) = text else {
            return RangeSpec::Default;
        };
        if let Some((base, head)) = text.split_once("...") {
            RangeSpec::SinceMergeBase {
                base: or_head(base),
                head: or_head(head),
            }
        } else if let Some((base, head)) = text.split_once("..") {
            RangeSpec::Between {
                base: or_head(base),
                head: or_head(head),
            }
        } else {
            RangeSpec::ToWorkingTree {
                base: text.to_owned(),
            }
        }
    }
}

impl std::fmt::Display for RangeSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RangeSpec::Between { base, head } => write!(f, "{base}..{head}"),
            RangeSpec::SinceMergeBase { base, head } => write!(f, "{base}...{head}"),
            RangeSpec::ToWorkingTree { base } => f.write_str(base),
            RangeSpec::Default => f.write_str("(default range)"),
        }
    }
}
