//! Amounts with their unit, as people type them: `2.5ms`, `64 KiB`, `100 MiB/s`. All amounts are parsed here.

/// A unit that can be typed, and how many base units it is.
type UnitScale = (&'static str, f64);

pub(super) const TIMES: &[UnitScale] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
];

pub(super) const SIZES: &[UnitScale] = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1024.0 * 1024.0),
    ("GiB", 1024.0 * 1024.0 * 1024.0),
];

pub(super) const ELEMENTS: &[UnitScale] = &[
    ("elem", 1.0),
    ("Kelem", 1e3),
    ("Melem", 1e6),
    ("Gelem", 1e9),
];

pub(super) const BITS: &[UnitScale] = &[("bit", 1.0), ("kbit", 1e3), ("Mbit", 1e6), ("Gbit", 1e9)];

pub(super) const REQUESTS: &[UnitScale] = &[("req", 1.0), ("kreq", 1e3)];

/// The number and what follows it; `None` where there is no positive number.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_')))
        .unwrap_or(text.len());
    let number: f64 = text[..end].replace('_', "").parse().ok()?;
    (number > 0.0).then_some((number, text[end..].trim()))
}

/// In base units; `None` where it is not a positive number with one of the units.
pub(super) fn in_units(text: &str, units: &[UnitScale]) -> Option<f64> {
    let (number, unit) = split(text)?;
    let exact = units.iter().find(|(name, _)| *name == unit);
    let alike = || {
        units
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
    };
    Some(number * exact.or_else(alike)?.1)
}

/// The amount per second, in base units.
pub(super) fn per_second(text: &str, units: &[UnitScale]) -> Option<f64> {
    in_units(text.trim().strip_suffix("/s")?, units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_positive_number_with_a_unit() {
        assert_eq!(in_units("2.5ms", TIMES), Some(2_500_000.0));
        assert_eq!(in_units(" 25 ns ", TIMES), Some(25.0));
        assert_eq!(in_units("64 KiB", SIZES), Some(65_536.0));
        assert_eq!(in_units("1_500 kB", SIZES), Some(1_500_000.0));
        assert_eq!(per_second("100 MiB/s", SIZES), Some(104_857_600.0));
        assert_eq!(per_second("3 Melem/s", ELEMENTS), Some(3e6));
        for wrong in [
            "",
            "ms",
            "2",
            "-1ms",
            "0ms",
            "2 parsecs",
            "1.2.3ms",
            "NaNms",
        ] {
            assert_eq!(in_units(wrong, TIMES), None, "{wrong}");
        }
        assert_eq!(per_second("100 MiB", SIZES), None);
    }
}
