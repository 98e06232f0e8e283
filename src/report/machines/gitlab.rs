//! GitLab code quality: one issue for each benchmark that got worse.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use serde::Serialize;

use super::super::words::{self, Naming};
use super::super::{Report, ReportError, budgets, claims, partial};
use super::{place, to_json};
use crate::analyse::{Comparison, Verdict};
use crate::judge::{BudgetCheck, BudgetStatus, ClaimCheck, ClaimStanding};

/// The format requires a place; the manifest stands for "somewhere in this workspace".
const MANIFEST: &str = "Cargo.toml";

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: GitlabLocation,
}

#[derive(Serialize)]
struct GitlabLocation {
    path: String,
    lines: GitlabLines,
}

#[derive(Serialize)]
struct GitlabLines {
    begin: u32,
}

pub(in crate::report) fn render(report: &Report) -> Result<String, ReportError> {
    let naming = Naming::of(report);
    let of_benchmarks = words::ordered(report)
        .into_iter()
        .filter_map(|comparison| issue(report, naming, comparison));
    let of_budgets = report.budgets.iter().filter_map(|b| budget(naming, b));
    let of_claims = report.claims.iter().filter_map(claim);
    let ended_early = partial::sentence(report).map(ended_early);
    let issues: Vec<Issue> = of_benchmarks
        .chain(of_budgets)
        .chain(of_claims)
        .chain(ended_early)
        .collect();
    to_json("GitLab code quality", &issues)
}

fn issue(report: &Report, naming: Naming, comparison: &Comparison) -> Option<Issue> {
    let (check_name, severity) = match comparison.verdict {
        Verdict::Slower => ("perfcheck-slower", "major"),
        Verdict::Failed => ("perfcheck-failed", "major"),
        Verdict::Removed => ("perfcheck-removed", "minor"),
        _ if words::has_grown_beside(comparison) => ("perfcheck-allocations", "minor"),
        Verdict::Inconclusive => ("perfcheck-inconclusive", "info"),
        _ => return None,
    };
    let (path, begin) = place::blamed(report, comparison).map_or_else(
        || (MANIFEST.to_owned(), 1),
        |place| (place.path, place.line),
    );
    Some(Issue {
        description: format!(
            "{}: {}",
            naming.name(&comparison.key),
            words::summary(comparison)
        ),
        check_name,
        fingerprint: fingerprint(&[
            check_name,
            &comparison.key.package,
            &comparison.key.target,
            &comparison.key.id,
        ]),
        severity,
        location: GitlabLocation {
            path,
            lines: GitlabLines { begin },
        },
    })
}

fn budget(naming: Naming, check: &BudgetCheck) -> Option<Issue> {
    let (check_name, severity) = match check.status {
        BudgetStatus::Over => ("perfcheck-over-budget", "major"),
        BudgetStatus::Investigate => ("perfcheck-budget", "minor"),
        BudgetStatus::Unknown => ("perfcheck-budget", "info"),
        BudgetStatus::Within | BudgetStatus::Unmeasured => return None,
    };
    let subject = check.subject.to_string();
    Some(Issue {
        description: format!(
            "{}: {}",
            budgets::subject(check, naming),
            budgets::summary(check)
        ),
        check_name,
        fingerprint: fingerprint(&[check_name, &subject, check.metric.name]),
        severity,
        location: GitlabLocation {
            path: MANIFEST.to_owned(),
            lines: GitlabLines { begin: 1 },
        },
    })
}

fn claim(check: &ClaimCheck) -> Option<Issue> {
    let check_name = "perfcheck-no-evidence";
    (check.standing != ClaimStanding::Shown).then(|| Issue {
        description: format!("no evidence for the claim {}", claims::words(check)),
        check_name,
        fingerprint: fingerprint(&[check_name, &check.claim.to_string()]),
        severity: "minor",
        location: GitlabLocation {
            path: MANIFEST.to_owned(),
            lines: GitlabLines { begin: 1 },
        },
    })
}

/// An issue that says that the list is incomplete.
fn ended_early(partial: String) -> Issue {
    let check_name = "perfcheck-partial";
    Issue {
        description: format!("partial report: {partial}"),
        check_name,
        fingerprint: fingerprint(&[check_name]),
        severity: "minor",
        location: GitlabLocation {
            path: MANIFEST.to_owned(),
            lines: GitlabLines { begin: 1 },
        },
    }
}

/// FNV-1a over the parts: the same finding has the same print in every run and every version of
/// Rust, which the standard hasher does not promise.
fn fingerprint(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn a_fingerprint_depends_on_where_its_parts_end() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(fingerprint(&["a"]).len(), 16);
    }
}
