//! The parts of the document, in reading order.

use super::MARKER;
use super::detail::{Detail, split};
use super::escape::{code, fenced, html_code, words as plain};
use crate::analyse::Comparison;
use crate::attribute::Skeleton;
use crate::judge::Vote;
use crate::report::escape::shortened;
use crate::report::findings::{self, Finding};
use crate::report::skeletons;
use crate::report::words::{self, Naming};
use crate::report::{Commit, Report, claims, partial, reasons, sentence};
use crate::units::Charset;

pub(super) fn document(report: &Report, detail: Detail) -> String {
    let page = Page {
        report,
        detail,
        naming: Naming::of(report),
    };
    let all = words::ordered(report);
    let (notable, quiet): (Vec<&Comparison>, Vec<&Comparison>) =
        all.into_iter().partition(|c| words::is_notable(c));
    let mut out = format!("{MARKER}\n");
    page.head(&mut out);
    page.changed(&mut out, &notable);
    page.causes(&mut out);
    page.failures(&mut out);
    page.beside_time(&mut out);
    page.load_tests(&mut out);
    page.budgets(&mut out);
    page.claims(&mut out);
    page.quiet(&mut out, &quiet);
    page.doubts(&mut out);
    page.environment(&mut out);
    page.baseline(&mut out);
    page.findings(&mut out);
    page.methodology(&mut out);
    page.reproduce(&mut out);
    out
}

pub(super) struct Page<'a> {
    pub(super) report: &'a Report,
    pub(super) detail: Detail,
    pub(super) naming: Naming,
}

impl Page<'_> {
    pub(super) fn text(&self, text: &str) -> String {
        plain(&shortened(text, self.detail.text))
    }

    pub(super) fn code(&self, text: &str) -> String {
        code(&shortened(text, self.detail.text))
    }

    pub(super) fn name(&self, comparison: &Comparison) -> String {
        self.code(&self.naming.name(&comparison.key))
    }

    fn head(&self, out: &mut String) {
        let (sign, vote) = match self.report.decision.vote {
            Vote::Approve => ("🟢", "approve"),
            Vote::Modify => ("🟡", "modify"),
            Vote::Reject => ("🔴", "reject"),
        };
        let sentence = plain(&shortened(&sentence::of(self.report), 400));
        let range = &self.report.range;
        out.push_str(&format!(
            "## {sign} Performance: {vote}\n\n**{sentence}**\n\n"
        ));
        if let Some(partial) = partial::sentence(self.report) {
            let partial = plain(&shortened(&partial, 800));
            out.push_str(&format!("> **Partial report:** {partial}\n\n"));
        }
        out.push_str(&format!(
            "{} → {}: {}\n\n",
            self.commit(&range.base),
            self.commit(&range.head),
            words::tally(self.report)
        ));
        let all = reasons::of(self.report);
        let (reasons, more) = split(&all, self.detail.list);
        if reasons.len() > 1 {
            for reason in reasons {
                out.push_str(&format!("- {}\n", self.text(reason)));
            }
            self.more(out, more, "reasons");
            out.push('\n');
        }
    }

    fn commit(&self, commit: &Commit) -> String {
        let subject = self.code(&commit.subject);
        let id = plain(&words::revision(commit));
        format!("{id} {subject}")
    }

    fn claims(&self, out: &mut String) {
        let all = &self.report.claims;
        if all.is_empty() {
            return;
        }
        let (shown, more) = split(all, self.detail.list);
        out.push_str("### Claims\n\n");
        for check in shown {
            let symbol = claims::symbol(check.standing, Charset::Unicode);
            let claim = self.code(&check.claim.to_string());
            let why = self.text(&claims::why(check));
            out.push_str(&format!("- {symbol} {claim}: {why}\n"));
        }
        self.more(out, more, "claims");
        out.push('\n');
    }

    fn failures(&self, out: &mut String) {
        let failed: Vec<&Comparison> = self
            .report
            .benchmarks
            .iter()
            .filter(|c| c.failure.is_some())
            .collect();
        let (shown, more) = split(&failed, self.detail.list);
        let mut body = String::new();
        for comparison in shown {
            let Some(failure) = &comparison.failure else {
                continue;
            };
            body.push_str(&format!(
                "- {}: the {} side {}\n",
                self.name(comparison),
                failure.side,
                self.text(&failure.reason)
            ));
            let lines: Vec<&str> = failure.stderr_tail.lines().collect();
            let (_, skipped) = split(&lines, self.detail.stderr_lines);
            let tail: Vec<String> = lines[skipped..]
                .iter()
                .map(|line| shortened(line, self.detail.text))
                .collect();
            if !tail.is_empty() {
                body.push_str(&format!("\n{}\n", fenced("text", &tail.join("\n"))));
            }
        }
        self.more(&mut body, more, "failures");
        if !failed.is_empty() {
            fold(
                out,
                &format!(
                    "{} failed: what they wrote",
                    words::benchmarks(failed.len())
                ),
                &body,
            );
        }
    }

    fn findings(&self, out: &mut String) {
        let found = findings::of(self.report);
        let risks = [found.risks, found.bottlenecks].concat();
        self.list(out, "Bottleneck risks", &risks);
        self.list(out, "In the recorded history", &found.history);
        self.list(out, "Benchmarking needed", &found.needed);
        self.skeletons(out);
        self.list(
            out,
            "Recommendations, by estimated impact",
            &found.recommendations,
        );
        self.list(out, "Notes on the measurement", &found.notes);
    }

    /// First benchmarks for changed functions that no benchmark executes.
    fn skeletons(&self, out: &mut String) {
        let all = skeletons::of(self.report);
        let (shown, more) = split(&all, self.detail.list.saturating_sub(3));
        for one in shown {
            let name = html_code(&shortened(&one.function.function, self.detail.text));
            let body = match &one.skeleton {
                Skeleton::Code(code) => format!("{}\n\n{}", skeletons::HOW, fenced("rust", code)),
                Skeleton::Unavailable(reason) => {
                    let reason = self.text(reason);
                    format!("No benchmark can be written from its signature: {reason}.")
                }
            };
            fold(out, &format!("A benchmark for {name} to begin with"), &body);
        }
        self.more(out, more, "benchmarks to begin with");
    }

    fn list(&self, out: &mut String, title: &str, findings: &[Finding]) {
        let (shown, more) = split(findings, self.detail.list);
        if findings.is_empty() {
            return;
        }
        out.push_str(&format!("### {title}\n\n"));
        for finding in shown {
            out.push_str(&format!(
                "- {}: {}\n",
                self.code(&finding.subject),
                self.text(&finding.text)
            ));
        }
        self.more(out, more, "entries");
        out.push('\n');
    }

    fn doubts(&self, out: &mut String) {
        let parts = [
            (
                "Confounders: these differ besides the source",
                &self.report.confounders,
            ),
            ("Warnings", &self.report.warnings),
        ];
        for (title, texts) in parts {
            if texts.is_empty() {
                continue;
            }
            let (shown, more) = split(texts, self.detail.list);
            out.push_str(&format!("### {title}\n\n"));
            for text in shown {
                out.push_str(&format!("- {}\n", self.text(text)));
            }
            self.more(out, more, "entries");
            out.push('\n');
        }
    }

    pub(super) fn more(&self, out: &mut String, more: usize, what: &str) {
        if more > 0 {
            out.push_str(&format!(
                "\n*{more} more {what} are in the full report among this run's artifacts.*\n"
            ));
        }
    }
}

pub(super) fn fold(out: &mut String, summary: &str, body: &str) {
    out.push_str(&format!(
        "<details><summary>{summary}</summary>\n\n{}\n\n</details>\n\n",
        body.trim_matches('\n')
    ));
}
