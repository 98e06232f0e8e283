//! Aligned columns that are dropped, one after the other, if the terminal is narrow.

use unicode_width::UnicodeWidthStr;

use super::paint::{Tone, paint};
use crate::units::Colour;

/// The alignment of a cell in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column: its heading, and when it is dropped.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) heading: String,
    pub(super) align: Align,
    /// Columns with the lowest number are dropped first if there is no room; `None` always stays.
    pub(super) gives_way: Option<u8>,
}

impl Column {
    pub(super) fn new(heading: &str, align: Align, gives_way: Option<u8>) -> Column {
        Column {
            heading: heading.to_owned(),
            align,
            gives_way,
        }
    }
}

/// A cell: text of one line, and what it means.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, tone: Tone) -> Cell {
        let text = text.into();
        Cell { text, tone }
    }
}

/// One line of a table. The first cell is its name, which may get its own line.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
}

/// Columns are two apart, as in `ls -l` and benchstat.
const GAP: usize = 2;

/// Lays `rows` out within `width` columns; a name that would take too many of them gets its own
/// line.
pub(super) fn layout(columns: &[Column], rows: &[Row], width: usize, colour: Colour) -> String {
    let name = 1;
    let mut widths = natural_widths(columns, rows);
    let name_limit = (width * 2 / 5).max(16);
    let fitting = rows
        .iter()
        .filter_map(|row| row.cells.get(name))
        .map(|c| c.text.width());
    widths[name] = fitting
        .filter(|w| *w <= name_limit)
        .max()
        .unwrap_or(0)
        .max(columns[name].heading.width());
    let shown = choose(columns, &widths, width);
    let mut out = String::new();
    let headings: Vec<Cell> = columns
        .iter()
        .map(|c| Cell::new(c.heading.clone(), Tone::Heading))
        .collect();
    line(&mut out, columns, &headings, &widths, &shown, colour);
    for row in rows {
        let too_long = row.cells[name].text.width() > widths[name];
        if !too_long {
            line(&mut out, columns, &row.cells, &widths, &shown, colour);
            continue;
        }
        line(
            &mut out,
            columns,
            &row.cells[..=name],
            &widths,
            &[0, name],
            colour,
        );
        let blank = Cell::new("", Tone::Normal);
        let numbers = row.cells[name + 1..].iter().cloned();
        let rest: Vec<Cell> = std::iter::repeat_n(blank, name + 1)
            .chain(numbers)
            .collect();
        if rest.iter().any(|cell| !cell.text.is_empty()) {
            line(&mut out, columns, &rest, &widths, &shown, colour);
        }
    }
    out
}

fn natural_widths(columns: &[Column], rows: &[Row]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|c| c.heading.width()).collect();
    for row in rows {
        for (cell, width) in row.cells.iter().zip(&mut widths) {
            *width = (*width).max(cell.text.width());
        }
    }
    widths
}

/// The indices of the columns that are not empty and fit.
fn choose(columns: &[Column], widths: &[usize], width: usize) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..columns.len()).filter(|i| widths[*i] > 0).collect();
    loop {
        let total: usize = shown.iter().map(|i| widths[*i] + GAP).sum();
        if total <= width + GAP {
            return shown;
        }
        let weakest = shown
            .iter()
            .copied()
            .filter(|i| columns[*i].gives_way.is_some())
            .min_by_key(|i| columns[*i].gives_way);
        let Some(weakest) = weakest else { return shown };
        shown.retain(|i| *i != weakest);
    }
}

fn line(
    out: &mut String,
    columns: &[Column],
    cells: &[Cell],
    widths: &[usize],
    shown: &[usize],
    colour: Colour,
) {
    let mut pending = 0;
    for &i in shown {
        let Some(cell) = cells.get(i) else { continue };
        let padding = widths[i].saturating_sub(cell.text.width());
        let (before, after) = match columns[i].align {
            Align::Left => (0, padding),
            Align::Right => (padding, 0),
        };
        if !cell.text.is_empty() {
            out.extend(std::iter::repeat_n(' ', pending + before));
            out.push_str(&paint(&cell.text, cell.tone, colour));
            pending = after + GAP;
        } else {
            pending += before + after + GAP;
        }
    }
    out.push('\n');
}
