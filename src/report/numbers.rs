//! Numbers for people: with their unit, and without meaningless digits.

use crate::units::{Ratio, Unit};

/// A change without its sign: `12.3 %`, for sentences that say the direction in words.
pub(super) fn magnitude_of(ratio: Ratio) -> String {
    let text = ratio.to_string();
    text.trim_start_matches(['+', '-']).to_owned()
}

/// A share as per cent without a sign: `1 %`, `0.25 %`, `97.5 %`.
pub(super) fn share(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// A confidence level as per cent, never rounded up to certainty.
pub(super) fn confidence(level: f64) -> String {
    let percent = level * 100.0;
    let missing = 100.0 - percent;
    let decimals = if missing <= 0.0 || missing >= 1.0 {
        1
    } else {
        // Two significant digits of the distance from certainty: 99.964 %.
        (1.0 - missing.log10().floor()).clamp(1.0, 9.0) as usize
    };
    let text = format!("{percent:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// `p = 0.031`, or the bound below which more digits are meaningless.
pub(super) fn p_equals(p: f64) -> String {
    match p_value(p) {
        text if text.starts_with('<') => format!("p {text}"),
        text => format!("p = {text}"),
    }
}

/// A change on an axis, without meaningless digits: `+5 %`, `0 %`, `-0.5 %`.
pub(super) fn tick(change: f64) -> String {
    let text = share(change.abs());
    if text == "0 %" {
        text
    } else if change < 0.0 {
        format!("-{text}")
    } else {
        format!("+{text}")
    }
}

/// A p-value with two significant digits, or the bound below which the exact value is meaningless.
pub(super) fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-4 => "< 0.0001".to_owned(),
        p if p < 0.001 => format!("{p:.5}"),
        p if p < 0.1 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

/// A number of things per iteration with its sign: `+3`, `0`, `-1.50`.
pub(super) fn signed(n: f64) -> String {
    let text = Unit::Count.show(n);
    if n > 0.0 { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_never_rounded_up_to_certainty() {
        assert_eq!(confidence(0.95), "95 %");
        assert_eq!(confidence(1.0 - 0.05 / 1000.0), "99.995 %");
        assert_eq!(confidence(1.0 - 0.05 / 14.0), "99.64 %");
    }

    #[test]
    fn numbers_carry_their_unit_and_no_false_digits() {
        assert_eq!(share(0.01), "1 %");
        assert_eq!(share(0.0025), "0.25 %");
        assert_eq!(p_value(0.0), "< 0.0001");
        assert_eq!(p_value(0.0312), "0.031");
    }
}
