//! What a step of GitHub Actions shows in addition: annotations, and the summary on its page.

use std::io::Write;

use super::failure::RunFailure;
use crate::plan::{Actions, Annotations, Format};
use crate::report::{self, RenderOptions, Report};

/// Appends to the step's summary, and annotates.
///
/// Annotations go to `err`: the runner reads workflow commands from both streams, and stdout may hold a
/// report that a program reads.
pub(super) fn tell(
    report: &Report,
    step: &Actions,
    err: &mut impl Write,
) -> Result<(), RunFailure> {
    if let Some(summary) = &step.summary {
        let text = report::render(report, Format::GithubSummary, &RenderOptions::FILE)?;
        let mut options = fs_err::OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(summary)
            .map_err(RunFailure::other)?;
        file.write_all(text.as_bytes()).map_err(RunFailure::other)?;
    }
    if step.annotations == Annotations::Ours {
        let text = report::render(report, Format::Github, &RenderOptions::FILE)?;
        err.write_all(text.as_bytes()).map_err(RunFailure::other)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_keeps_what_earlier_commands_of_the_step_wrote() {
        let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/v1.json");
        let report = report::load(recorded.as_ref()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary");
        fs_err::write(&summary, "before\n").unwrap();
        let mut err = Vec::new();
        let step = |annotations| Actions {
            summary: Some(summary.clone()),
            annotations,
        };
        tell(&report, &step(Annotations::Ours), &mut err).unwrap();
        let text = fs_err::read_to_string(&summary).unwrap();
        assert!(
            text.starts_with("before\n") && text.contains("## "),
            "{text}"
        );
        assert!(err.starts_with(b"::error "));
        err.clear();
        tell(&report, &step(Annotations::TakenInHand), &mut err).unwrap();
        assert!(err.is_empty());
    }
}
