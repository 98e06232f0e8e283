//! The findings as bytes.

use anstyle::{AnsiColor, Style};

use super::{HealthCheck, Severity};
use crate::units::{Charset, Colour};

/// For people: one paragraph per finding, what to do below it, and a closing line.
pub(crate) fn text(findings: &[HealthCheck], colour: Colour, charset: Charset) -> String {
    let width = findings
        .iter()
        .map(|finding| finding.subject.len())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for finding in findings {
        let (mark, style) = mark(finding.severity, charset);
        let mark = match colour {
            Colour::Ansi => format!("{style}{mark}{style:#}"),
            Colour::Never => mark.to_owned(),
        };
        out.push_str(&format!(
            "{mark} {:width$}  {}\n",
            finding.subject, finding.finding
        ));
        if let Some(fix) = &finding.fix {
            out.push_str(&format!("  {:width$}  to fix it: {fix}\n", ""));
        }
    }
    out.push('\n');
    out.push_str(&closing(findings));
    out.push('\n');
    out
}

/// Colour never carries meaning alone: every severity has its own mark.
fn mark(severity: Severity, charset: Charset) -> (&'static str, Style) {
    let (unicode, ascii, colour) = match severity {
        Severity::Good => ("✓", "+", AnsiColor::Green),
        Severity::Note => ("·", "-", AnsiColor::Blue),
        Severity::Hurts => ("!", "!", AnsiColor::Yellow),
        Severity::Broken => ("✗", "x", AnsiColor::Red),
    };
    let mark = match charset {
        Charset::Unicode => unicode,
        Charset::Ascii => ascii,
    };
    (mark, colour.on_default().bold())
}

fn closing(findings: &[HealthCheck]) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    match (count(Severity::Broken), count(Severity::Hurts)) {
        (0, 0) => "nothing here adds noise; `cargo perfcheck calibrate` says how small a change \
                   can be seen"
            .to_owned(),
        (0, hurts) => format!(
            "{hurts} finding{} above cost{} precision; `cargo perfcheck calibrate` says how much",
            plural(hurts),
            if hurts == 1 { "s" } else { "" },
        ),
        (broken, _) => format!(
            "{broken} finding{} above must be fixed first",
            plural(broken)
        ),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// For programs: `{"schema_version": 1, "findings": […]}`.
///
/// # Errors
/// None in practice: serde's signature requires a result.
pub(crate) fn json(findings: &[HealthCheck]) -> serde_json::Result<String> {
    let value = serde_json::json!({ "schema_version": 1, "findings": findings });
    serde_json::to_string_pretty(&value).map(|text| text + "\n")
}
