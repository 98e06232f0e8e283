//! Amounts of memory as people type them.

use super::amount;
use crate::units::Bytes;

/// An amount of memory as people type it: `10GB`, `500 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub(super) Bytes);

/// The units, the largest first.
const UNITS: [(&str, u64); 4] = [
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl Size {
    pub(super) const fn from_gigabytes(gigabytes: u64) -> Size {
        Size(Bytes::from_bytes(gigabytes * 1_000_000_000))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.0.as_bytes();
        let fits = |(_, factor): &&(&str, u64)| bytes >= *factor && bytes.is_multiple_of(*factor);
        let (unit, factor) = UNITS.iter().find(fits).unwrap_or(&("B", 1));
        write!(f, "{}{unit}", bytes / factor)
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = amount::in_units(text, amount::SIZES)
            .ok_or("write a size with its unit, for example `10GB` or `500MB`")?;
        Ok(Size(Bytes::from_bytes(bytes.round() as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_typed_with_its_unit_and_shown_as_it_was_typed() {
        for text in ["10GB", "500MB", "1500MB", "3kB", "7B"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        assert_eq!("1 gb".parse::<Size>(), Ok(Size::from_gigabytes(1)));
        assert_eq!("1.5GB".parse::<Size>(), "1500MB".parse());
        assert_eq!("1 MiB".parse::<Size>().unwrap().to_string(), "1048576B");
        for wrong in ["10", "GB", "-1GB", "0B", "10TiB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
