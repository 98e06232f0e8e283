//! Which reports are written, and where to.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::{Format, OutputArgs, PlanError};

/// One report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// In which format.
    pub format: Format,
    /// Where to; `None` is stdout.
    pub path: Option<PathBuf>,
}

/// What a folder of reports holds.
fn every_format(folder: &Path) -> impl Iterator<Item = Output> + '_ {
    Format::value_variants().iter().map(|&format| Output {
        format,
        path: Some(folder.join(format.file_name())),
    })
}

/// Where plots of single benchmarks go: into a folder of reports, if there is one.
#[must_use]
pub fn plots_folder(args: &OutputArgs, cwd: &Path) -> Option<PathBuf> {
    let folder = args.report_dir.as_ref()?;
    Some(cwd.join(folder).join("plots"))
}

/// Pairs formats and files in order. Files beyond the formats go by their extension; one format beyond
/// the files goes to stdout; without either, the report is text on stdout. A folder of reports is
/// written in addition.
///
/// # Errors
/// An extension that names no format, and more than one report for stdout.
pub fn pair_up(args: &OutputArgs, cwd: &Path) -> Result<Vec<Output>, PlanError> {
    let mut reports = Vec::new();
    if let Some(folder) = &args.report_dir {
        reports.extend(every_format(&cwd.join(folder)));
    }
    if args.formats.is_empty() && args.outputs.is_empty() {
        reports.push(Output {
            format: Format::Text,
            path: None,
        });
    }
    for (index, file) in args.outputs.iter().enumerate() {
        let to_stdout = file.as_os_str() == "-";
        let format = match args.formats.get(index) {
            Some(&format) => format,
            None if to_stdout => Format::Text,
            None => Format::from_extension(file)
                .ok_or_else(|| PlanError::UnknownExtension { path: file.clone() })?,
        };
        reports.push(Output {
            format,
            path: (!to_stdout).then(|| cwd.join(file)),
        });
    }
    let left_over = args.formats.iter().skip(args.outputs.len());
    reports.extend(left_over.map(|&format| Output { format, path: None }));
    if reports
        .iter()
        .filter(|report| report.path.is_none())
        .count()
        > 1
    {
        return Err(PlanError::SeveralReportsOnStdout);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(formats: &[Format], outputs: &[&str]) -> Result<Vec<Output>, PlanError> {
        let args = OutputArgs {
            formats: formats.to_vec(),
            outputs: outputs.iter().map(PathBuf::from).collect(),
            report_dir: None,
        };
        pair_up(&args, Path::new("/cwd"))
    }

    fn report(format: Format, path: Option<&str>) -> Output {
        Output {
            format,
            path: path.map(PathBuf::from),
        }
    }

    #[test]
    fn nothing_typed_is_text_on_stdout() {
        assert_eq!(pair(&[], &[]).unwrap(), [report(Format::Text, None)]);
    }

    #[test]
    fn formats_and_files_pair_up_in_order() {
        assert_eq!(
            pair(&[Format::Json, Format::Markdown], &["a", "/b"]).unwrap(),
            [
                report(Format::Json, Some("/cwd/a")),
                report(Format::Markdown, Some("/b")),
            ]
        );
    }

    #[test]
    fn one_format_more_than_files_goes_to_stdout() {
        assert_eq!(
            pair(&[Format::Json, Format::Text], &["a"]).unwrap(),
            [
                report(Format::Json, Some("/cwd/a")),
                report(Format::Text, None),
            ]
        );
    }

    #[test]
    fn the_extension_decides_where_no_format_is_given() {
        assert_eq!(
            pair(&[], &["perf.json", "perf.md", "-"]).unwrap(),
            [
                report(Format::Json, Some("/cwd/perf.json")),
                report(Format::Markdown, Some("/cwd/perf.md")),
                report(Format::Text, None),
            ]
        );
    }

    #[test]
    fn an_extension_that_names_no_format_is_answered_with_what_to_type() {
        let error = pair(&[], &["perf.xyz"]).unwrap_err();
        assert!(
            error
                .hint()
                .unwrap()
                .contains("--format json --output perf.xyz")
        );
    }

    #[test]
    fn a_folder_gets_every_format_in_a_file_of_its_own_and_stdout_its_text() {
        let args = OutputArgs {
            report_dir: Some("perf".into()),
            ..OutputArgs::default()
        };
        let outputs = pair_up(&args, Path::new("/cwd")).unwrap();
        let mut paths: Vec<_> = outputs.iter().filter_map(|o| o.path.clone()).collect();
        assert!(paths.contains(&PathBuf::from("/cwd/perf/report.html")));
        assert_eq!(paths.len(), Format::value_variants().len());
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), Format::value_variants().len());
        assert_eq!(outputs.last(), Some(&report(Format::Text, None)));
        assert_eq!(
            plots_folder(&args, Path::new("/cwd")),
            Some(PathBuf::from("/cwd/perf/plots"))
        );
    }

    #[test]
    fn stdout_takes_one_report() {
        assert!(pair(&[Format::Json, Format::Text], &[]).is_err());
        assert!(pair(&[Format::Json, Format::Text], &["-"]).is_err());
    }
}
