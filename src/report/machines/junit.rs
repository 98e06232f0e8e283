//! JUnit XML: a suite for each bench target, one of budgets and one of claims, a failed test for each slower benchmark
//! and each budget that is exceeded.

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::super::{Report, ReportError, budgets, claims, partial, words};
use crate::analyse::{Comparison, Direction, Verdict};
use crate::judge::{BudgetCheck, BudgetStatus, ClaimCheck, ClaimStanding};
use crate::units::MetricGroup;

pub(in crate::report) fn render(report: &Report) -> Result<String, ReportError> {
    let mut xml = Xml::new(format!("cargo perfcheck {}", report.range.spec));
    for suite in suites(report) {
        xml.add_test_suite(suite);
    }
    if !report.budgets.is_empty() {
        let mut suite = TestSuite::new("budgets");
        for check in &report.budgets {
            suite.add_test_case(budget(check));
        }
        xml.add_test_suite(suite);
    }
    if !report.claims.is_empty() {
        let mut suite = TestSuite::new("claims");
        for check in &report.claims {
            suite.add_test_case(claim(check));
        }
        xml.add_test_suite(suite);
    }
    if let Some(partial) = partial::sentence(report) {
        let mut suite = TestSuite::new("run");
        let mut status = TestCaseStatus::skipped();
        status.set_message(partial).set_type("partial");
        suite.add_test_case(TestCase::new("completed", status));
        xml.add_test_suite(suite);
    }
    xml.to_string().map_err(|source| ReportError::Encode {
        format: "JUnit",
        source: source.into(),
    })
}

/// In the order of their first benchmarks in the report.
fn suites(report: &Report) -> Vec<TestSuite> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for comparison in &report.benchmarks {
        let name = format!("{}::{}", comparison.key.package, comparison.key.target);
        let case = case(comparison, &name);
        match suites
            .iter_mut()
            .find(|suite| suite.name.as_str() == quick_junit::XmlString::new(&name).as_str())
        {
            Some(suite) => {
                suite.add_test_case(case);
            }
            None => {
                let mut suite = TestSuite::new(name);
                suite.add_test_case(case);
                suites.push(suite);
            }
        }
    }
    suites
}

fn case(comparison: &Comparison, suite: &str) -> TestCase {
    let mut case = TestCase::new(comparison.key.id.as_str(), status(comparison));
    case.set_classname(suite);
    case.add_property(("verdict", comparison.verdict.name()));
    if let Some(change) = comparison.estimate() {
        case.add_property(("ratio", change.ratio.as_quotient().to_string().as_str()));
        case.add_property(("lower", change.lower.as_quotient().to_string().as_str()));
        case.add_property(("upper", change.upper.as_quotient().to_string().as_str()));
    }
    if let Some(failure) = &comparison.failure {
        case.set_system_err(&failure.stderr_tail);
    }
    case
}

fn budget(check: &BudgetCheck) -> TestCase {
    let mut status = match check.status {
        BudgetStatus::Over => TestCaseStatus::non_success(NonSuccessKind::Failure),
        BudgetStatus::Within => TestCaseStatus::success(),
        BudgetStatus::Investigate | BudgetStatus::Unknown | BudgetStatus::Unmeasured => {
            TestCaseStatus::skipped()
        }
    };
    if check.status != BudgetStatus::Within {
        status
            .set_message(budgets::summary(check))
            .set_type(check.status.name());
    }
    let mut case = TestCase::new(format!("{} {}", check.subject, check.metric), status);
    case.set_classname("budgets");
    case
}

/// A claim without evidence needs a look but fails nothing: it is skipped, like an inconclusive benchmark.
fn claim(check: &ClaimCheck) -> TestCase {
    let status = match check.standing {
        ClaimStanding::Shown => TestCaseStatus::success(),
        ClaimStanding::Unshown | ClaimStanding::Contradicted => {
            let mut status = TestCaseStatus::skipped();
            status
                .set_message(format!("no evidence: {}", claims::why(check)))
                .set_type("no-evidence");
            status
        }
    };
    let mut case = TestCase::new(check.claim.to_string(), status);
    case.set_classname("claims");
    case
}

/// An undecided benchmark is skipped, not passed.
fn status(comparison: &Comparison) -> TestCaseStatus {
    let more = comparison.direction(MetricGroup::Instructions) == Some(Direction::More);
    let (mut status, message) = match comparison.verdict {
        Verdict::Unchanged | Verdict::Faster => return TestCaseStatus::success(),
        Verdict::Untimed if !more => return TestCaseStatus::success(),
        Verdict::Slower | Verdict::Untimed => (
            TestCaseStatus::non_success(NonSuccessKind::Failure),
            words::summary(comparison),
        ),
        Verdict::Failed => (
            TestCaseStatus::non_success(NonSuccessKind::Error),
            words::summary(comparison),
        ),
        Verdict::Inconclusive
        | Verdict::Identical
        | Verdict::Unreached
        | Verdict::Added
        | Verdict::Removed => (TestCaseStatus::skipped(), words::summary(comparison)),
    };
    status
        .set_message(message)
        .set_type(comparison.verdict.name());
    status
}
