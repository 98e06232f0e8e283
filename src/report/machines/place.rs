//! Where in the source a finding is shown.

use crate::analyse::Comparison;
use crate::attribute::{self, Attribution};
use crate::measure::CodeOwner;
use crate::report::Report;

/// A line of a file, relative to the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnnotationPlace {
    pub(super) path: String,
    pub(super) line: u32,
}

/// The line that explains the change best, if known: for a change of time, the hunk or else the
/// function that it comes from; otherwise where more is allocated.
pub(super) fn blamed(report: &Report, comparison: &Comparison) -> Option<AnnotationPlace> {
    let attribution = report.attributions.iter().find(|a| a.key == comparison.key);
    attribution
        .and_then(culprit)
        .or_else(|| allocating(comparison))
}

fn culprit(attribution: &Attribution) -> Option<AnnotationPlace> {
    let explanation = attribution.explanation.as_ref()?;
    let first = explanation.contributors.first()?;
    if !explanation.names_a_cause() {
        return None;
    }
    if let Some(hunk) = first.hunks.first() {
        return parse(&format!("{}:{}", hunk.path, hunk.line));
    }
    let at = first.location.head.as_ref()?;
    (first.origin == attribute::Origin::Workspace && !first.same_code)
        .then(|| parse(&at.to_string()))
        .flatten()
}

fn allocating(comparison: &Comparison) -> Option<AnnotationPlace> {
    let grown = comparison
        .sites
        .iter()
        .filter(|site| site.origin == CodeOwner::Workspace)
        .find(|site| site.bytes.head > site.bytes.base)?;
    parse(grown.location.as_deref()?)
}

/// Reads `path:line`; a path that leaves the workspace is rejected.
fn parse(location: &str) -> Option<AnnotationPlace> {
    let (path, line) = location.rsplit_once(':')?;
    let line = line.parse().ok()?;
    let inside = !path.starts_with('/') && path.split('/').all(|part| part != "..");
    (inside && !path.is_empty()).then(|| AnnotationPlace {
        path: path.to_owned(),
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::{AnnotationPlace, parse};

    #[test]
    fn only_lines_within_the_workspace_are_places() {
        let place = AnnotationPlace {
            path: "codec/src/parse.rs".into(),
            line: 88,
        };
        assert_eq!(parse("codec/src/parse.rs:88"), Some(place));
        assert_eq!(parse("/etc/passwd:1"), None);
        assert_eq!(parse("../x.rs:1"), None);
        assert_eq!(parse("x.rs"), None);
    }
}
