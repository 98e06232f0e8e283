//! From one [`Report`] to bytes: every renderer is a pure function of it.

mod brief;
mod budgets;
mod calibration;
mod causes;
mod claims;
mod contributions;
mod decided;
mod error;
mod escape;
mod findings;
mod group_tables;
mod html;
mod json;
mod load;
mod load_tests;
mod machines;
mod markdown;
mod merge;
mod metrics;
mod model;
mod numbers;
mod partial;
mod parts;
mod percentiles;
mod places;
mod reasons;
mod risks;
mod sentence;
mod skeletons;
mod standing;
mod text;
mod unseen;
mod upgrade;
mod words;

pub use markdown::MARKER as MARKDOWN_MARKER;

pub use calibration::calibration;
pub use error::ReportError;
pub(crate) use escape::{shortened, visible};
pub use load::load;
pub(crate) use machines::bencher::{BencherMetric, bencher_measure, bencher_name};
pub(crate) use merge::budget_in_vain;
pub use merge::merge;
pub use model::*;
pub use standing::{HistoryStanding, SinceCommit, StandingKind};

use crate::attribute::Artifact;
use crate::plan::Format;
use crate::units::{Charset, Colour};

/// How a report is shown, if the format leaves a choice (today: text).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether text is coloured.
    pub colour: Colour,
    /// Which characters bars and symbols are drawn with.
    pub charset: Charset,
    /// How much of it.
    pub length: TextLength,
}

/// How much text there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLength {
    /// About one screen: what decides the vote, and how much else there is.
    Screen,
    /// Everything.
    Whole,
}

impl RenderOptions {
    /// The options for files: a hundred columns, no colour, Unicode, everything.
    pub const FILE: RenderOptions = RenderOptions {
        width: 100,
        colour: Colour::Never,
        charset: Charset::Unicode,
        length: TextLength::Whole,
    };
}

/// The plots of single benchmarks as files, for benchmarks with something to see.
#[must_use]
pub fn plots(report: &Report) -> Vec<Artifact> {
    html::plots(report)
}

/// Writes `report` in `format`. Pure: the same report gives the same text.
///
/// # Errors
/// [`ReportError`] if the report has something that the format cannot express.
pub fn render(
    report: &Report,
    format: Format,
    options: &RenderOptions,
) -> Result<String, ReportError> {
    match format {
        Format::Text => Ok(text::render(report, options)),
        Format::Markdown => Ok(markdown::render(report)),
        Format::Html => Ok(html::render(report)),
        Format::Svg => Ok(html::overview_file(report)),
        Format::Json => json::render(report),
        Format::Brief => Ok(brief::render(report)),
        Format::Junit => machines::junit::render(report),
        Format::Github => Ok(machines::github::annotations(report)),
        Format::GithubSummary => Ok(markdown::render_summary(report)),
        Format::Gitlab => machines::gitlab::render(report),
        Format::Bencher => machines::bencher::render(report),
        Format::GithubActionBenchmark => machines::action_benchmark::render(report),
        Format::GoBench => Ok(machines::go_bench::render(report)),
    }
}
