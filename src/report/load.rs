//! Saved reports, read again.

use std::path::Path;

use serde::Deserialize;

use super::{Report, ReportError, SCHEMA_VERSION, upgrade};

/// This part is read first, so that the error can name a report of another version.
#[derive(Deserialize)]
struct Versioned {
    schema_version: Option<u32>,
}

/// Reads the JSON report at `path`.
///
/// # Errors
/// The file cannot be read, is not a report, or is a report of another version.
pub fn load(path: &Path) -> Result<Report, ReportError> {
    let bytes = fs_err::read(path).map_err(|source| ReportError::Read { source })?;
    let no_report = |source| ReportError::NoReport {
        path: path.to_owned(),
        source,
    };
    let versioned: Versioned = serde_json::from_slice(&bytes).map_err(no_report)?;
    match versioned.schema_version {
        Some(SCHEMA_VERSION) => serde_json::from_slice(&bytes).map_err(no_report),
        Some(1) => {
            let mut report = serde_json::from_slice(&bytes).map_err(no_report)?;
            upgrade::from_v1(&mut report);
            serde_json::from_value(report).map_err(no_report)
        }
        found => Err(ReportError::Version {
            path: path.to_owned(),
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> ReportError {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs_err::write(file.path(), text).expect("it can be written");
        load(file.path()).expect_err("no report")
    }

    #[test]
    fn what_is_no_report_is_refused_with_its_reason() {
        assert!(matches!(
            load(Path::new("/nowhere")),
            Err(ReportError::Read { .. })
        ));
        assert!(matches!(written("[]"), ReportError::NoReport { .. }));
        assert!(matches!(
            written("{}"),
            ReportError::Version { found: None, .. }
        ));
        let newer = written(r#"{"schema_version": 3}"#);
        assert!(matches!(newer, ReportError::Version { found: Some(3), .. }));
        assert!(newer.hint().is_some());
    }
}
