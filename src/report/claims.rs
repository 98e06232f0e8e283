//! Claims in the words that every renderer for people shares.

use super::escape::visible;
use super::words::benchmarks;
use crate::judge::{Changed, ClaimCheck, ClaimStanding};
use crate::units::Charset;

/// How many benchmarks a claim names before it says "and n more".
const NAMED: usize = 3;

/// A claim and its result: `faster=^parse/ (shown by parse/small −8.30 %)`. Not escaped for any markup.
pub(super) fn words(check: &ClaimCheck) -> String {
    format!("{} ({})", visible(&check.claim.to_string()), why(check))
}

/// The standing as one column.
pub(super) fn symbol(standing: ClaimStanding, charset: Charset) -> &'static str {
    let (unicode, ascii) = match standing {
        ClaimStanding::Shown => ("✓", "="),
        ClaimStanding::Unshown => ("?", "?"),
        ClaimStanding::Contradicted => ("✗", "x"),
    };
    match charset {
        Charset::Unicode => unicode,
        Charset::Ascii => ascii,
    }
}

/// Its result, without its name.
pub(super) fn why(check: &ClaimCheck) -> String {
    let counted = |what: &str, n: usize| (n > 0).then(|| format!("{what} {}", benchmarks(n)));
    let named = |all: &[Changed], what: &str| {
        let names: Vec<String> = all.iter().take(NAMED).map(name).collect();
        let more = match all.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!all.is_empty()).then(|| format!("{what} {}{more}", names.join(", ")))
    };
    let parts = [
        named(&check.contrary, "got worse in"),
        named(&check.shown, "shown by"),
        counted("no change in", check.unmoved.len()),
        counted("open for", check.open.len()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "matches none of the benchmarks that were compared".to_owned(),
        false => parts.join("; "),
    }
}

fn name(changed: &Changed) -> String {
    let id = visible(&changed.benchmark.id);
    match changed.ratio {
        Some(ratio) => format!("{id} {ratio}"),
        None => id,
    }
}
