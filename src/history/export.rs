//! The runs for other programs.

use super::{HistoryError, StoredFile};
use crate::units::Metric;

/// A line of JSON for each file.
pub(crate) fn json_lines(files: &[StoredFile]) -> Result<String, HistoryError> {
    let mut text = String::new();
    for file in files {
        text += &serde_json::to_string(file).map_err(|source| HistoryError::Encode { source })?;
        text.push('\n');
    }
    Ok(text)
}

const HEADINGS: &str = "date,base,head,base_date,head_date,cpu,cores,virtualised,package,target,id,verdict,metric,\
                        unit,base_value,head_value,ln_ratio,std_error,freedom,rounds\n";

/// A line for each run, benchmark and metric, as RFC 4180 has it.
pub(crate) fn csv(files: &[StoredFile]) -> String {
    let mut text = HEADINGS.to_owned();
    for file in files {
        let StoredFile::Run(run) = file else { continue };
        let shown = |date: Option<crate::units::Timestamp>| date.map(|d| d.to_string());
        let machine = &run.machine;
        for benchmark in &run.benchmarks {
            for (id, change) in &benchmark.metrics {
                let unit =
                    Metric::with_id(id).and_then(|metric| serde_json::to_value(metric.unit).ok());
                let unit = unit.and_then(|unit| unit.as_str().map(str::to_owned));
                let sampled = change.sampled;
                let number = |of: fn(&super::record::SampledChange) -> f64| {
                    sampled
                        .as_ref()
                        .map(|s| of(s).to_string())
                        .unwrap_or_default()
                };
                let cells = [
                    shown(run.date).unwrap_or_default(),
                    run.commits.base.id.clone(),
                    run.commits.head.id.clone(),
                    shown(run.commits.base.date).unwrap_or_default(),
                    shown(run.commits.head.date).unwrap_or_default(),
                    machine.cpu.clone(),
                    machine.cores.to_string(),
                    machine.virtualised.clone().unwrap_or_default(),
                    benchmark.key.package.clone(),
                    benchmark.key.target.clone(),
                    benchmark.key.id.clone(),
                    benchmark.verdict.name().to_owned(),
                    id.clone(),
                    unit.unwrap_or_default(),
                    change.base.to_string(),
                    change.head.to_string(),
                    number(|s| s.ln),
                    number(|s| s.se),
                    number(|s| s.df),
                    sampled.map(|s| s.rounds.to_string()).unwrap_or_default(),
                ];
                text += &line(&cells);
            }
        }
    }
    text
}

/// A line of cells. One that a spreadsheet would take for a formula begins with a quote.
pub(super) fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        let is_formula = cell.starts_with(['=', '+', '@', '-']) && cell.parse::<f64>().is_err();
        let cell = match is_formula {
            true => format!("'{cell}"),
            false => cell.clone(),
        };
        match cell.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell,
        }
    };
    let cells: Vec<String> = cells.iter().map(quoted).collect();
    format!("{}\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        let cells = ["a,b", "say \"x\"", "=1+2", "-1.5"].map(str::to_owned);
        assert_eq!(line(&cells), "\"a,b\",\"say \"\"x\"\"\",'=1+2,-1.5\n");
    }
}
