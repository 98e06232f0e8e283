//! What a version of cargo can do.

/// The first version in which `--config KEY=VALUE` is stable.
const CONFIG_OPTION: CargoVersion = CargoVersion {
    major: 1,
    minor: 63,
};

/// The first version that follows the key `include` of configuration files.
const INCLUDES: CargoVersion = CargoVersion {
    major: 1,
    minor: 94,
};

/// The version that `cargo --version` prints, without the patch level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CargoVersion {
    major: u32,
    minor: u32,
}

impl CargoVersion {
    /// Parses `cargo 1.62.0 (a748cf5a3 2022-06-08)`; `None` if the text has another form.
    pub(super) fn of(printed: &str) -> Option<CargoVersion> {
        let numbers = printed.split(' ').nth(1)?;
        let mut numbers = numbers.split(['.', '-']).map_while(|n| n.parse().ok());
        Some(CargoVersion {
            major: numbers.next()?,
            minor: numbers.next()?,
        })
    }

    /// Whether it accepts settings on its command line.
    pub(super) fn has_config_option(self) -> bool {
        self >= CONFIG_OPTION
    }

    /// Whether it follows the key `include` of configuration files.
    pub(super) fn follows_includes(self) -> bool {
        self >= INCLUDES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_words_of_cargo() {
        let can = |printed: &str| {
            let version = CargoVersion::of(printed)?;
            Some((version.has_config_option(), version.follows_includes()))
        };
        assert_eq!(
            can("cargo 1.62.1 (a748cf5a3 2022-06-08)"),
            Some((false, false))
        );
        assert_eq!(
            can("cargo 1.63.0 (fd9c4297c 2022-07-01)"),
            Some((true, false))
        );
        assert_eq!(
            can("cargo 1.94.0-nightly (abc 2026-01-01)"),
            Some((true, true))
        );
        assert_eq!(can("cargo"), None);
    }
}
