//! `cargo perfcheck config`.

use std::io::Write;

use crate::plan::config::{self, ValueOrigin};
use crate::plan::{ConfigArgs, Environment, ExitStatus};

/// Writes every setting as it would be used, with its origin; warnings go to `err`.
///
/// # Errors
/// There is no manifest, the configuration cannot be understood, or a stream cannot be written to.
pub(crate) fn config(
    args: &ConfigArgs,
    environment: &Environment,
    out: &mut impl Write,
    err: &mut impl Write,
) -> anyhow::Result<ExitStatus> {
    if args.schema {
        writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&config::json_schema())?
        )?;
        return Ok(ExitStatus::Success);
    }
    let named = args.options.selection.manifest_path.as_deref();
    let (settings, warnings) = config::show(named, environment)?;
    for warning in warnings {
        writeln!(err, "warning: {warning}")?;
    }
    let key_width = settings
        .iter()
        .map(|setting| setting.key.len())
        .max()
        .unwrap_or(0);
    let values: Vec<&str> = settings
        .iter()
        .map(|setting| setting.value.as_deref().unwrap_or("-"))
        .collect();
    let value_width = values
        .iter()
        .map(|value| value.chars().count())
        .max()
        .unwrap_or(0);
    for (setting, value) in settings.iter().zip(values) {
        let origin = match (&setting.origin, &setting.value) {
            (ValueOrigin::Default, None) => String::new(),
            (origin, _) => origin.to_string(),
        };
        let line = format!("{:key_width$}  {value:value_width$}  {origin}", setting.key);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(ExitStatus::Success)
}
