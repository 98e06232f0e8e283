//! The formats of a report.

use std::path::Path;

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// A table for the terminal
    Text,
    /// GitHub-flavoured markdown
    Markdown,
    /// The JSON report, described by its schema
    Json,
    /// The vote and the findings in under 2,000 characters, for scripts and agents
    Brief,
    /// One page that opens from disk, with plots
    Html,
    /// A picture of all changes with their intervals
    Svg,
    /// JUnit XML: a failed test for each slower benchmark
    Junit,
    /// GitHub Actions: annotations, for standard output
    Github,
    /// GitHub Actions: markdown for `$GITHUB_STEP_SUMMARY`
    GithubSummary,
    /// GitLab code quality JSON
    Gitlab,
    /// Bencher Metric Format JSON
    Bencher,
    /// JSON for github-action-benchmark (`customSmallerIsBetter`)
    GithubActionBenchmark,
    /// Go's benchmark text, for `benchstat -col side`
    GoBench,
}

impl Format {
    /// The format that files with this extension usually hold.
    pub(super) fn from_extension(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "txt" => Some(Format::Text),
            "md" | "markdown" => Some(Format::Markdown),
            "json" => Some(Format::Json),
            "html" | "htm" => Some(Format::Html),
            "svg" => Some(Format::Svg),
            "xml" => Some(Format::Junit),
            _ => None,
        }
    }

    /// The file that holds it in a folder of reports.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Format::Text => "report.txt",
            Format::Markdown => "report.md",
            Format::Json => "report.json",
            Format::Brief => "brief.txt",
            Format::Html => "report.html",
            Format::Svg => "overview.svg",
            Format::Junit => "junit.xml",
            Format::Github => "github-annotations.txt",
            Format::GithubSummary => "github-summary.md",
            Format::Gitlab => "gitlab-code-quality.json",
            Format::Bencher => "bencher.json",
            Format::GithubActionBenchmark => "github-action-benchmark.json",
            Format::GoBench => "benchstat.txt",
        }
    }
}
