//! The pieces of a change, and which of them concern a function.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use similar::{ChangeTag, TextDiff};

use crate::revision::{ChangedFile, Touch};
use crate::units::{Paired, Side};

use super::model::{CommitRef, DiffLine, Hunk, LineKind, Location};
use super::source::{self, ItemLines};

/// Lines around a change that are shown.
const CONTEXT: usize = 3;
/// A hunk that is shown has no more lines.
const LONGEST: usize = 40;

/// The changed Rust files, taken to pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Hunks {
    files: Vec<File>,
}

#[derive(Debug, Clone)]
struct File {
    paths: Paired<Option<String>>,
    texts: Paired<String>,
    functions: Paired<Vec<ItemLines>>,
    /// Types and constants.
    definitions: Paired<Vec<ItemLines>>,
    touched: BTreeMap<u32, Touch>,
    pieces: Vec<Piece>,
}

/// One hunk.
#[derive(Debug, Clone)]
struct Piece {
    /// The lines that differ, without context, from 1; empty where a side only misses some.
    changed: Paired<Range<u32>>,
    lines: Vec<DiffLine>,
}

impl Piece {
    /// How many lines more there are on the head side.
    fn growth(&self) -> i64 {
        let grown = self.lines.iter().map(|line| match line.kind {
            LineKind::Same => 0,
            LineKind::Removed => -1,
            LineKind::Added => 1,
        });
        grown.sum()
    }
}

/// Names a hunk: file and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HunkId {
    file: usize,
    piece: usize,
}

impl Hunks {
    /// Takes changed files to pieces; `touched` gives the commits of a file's lines on the head side.
    pub(super) fn of(
        files: Vec<ChangedFile>,
        touched: impl Fn(&ChangedFile) -> BTreeMap<u32, Touch>,
    ) -> Hunks {
        let sources = files.into_iter().filter(is_rust);
        let files = sources.map(|file| File {
            touched: touched(&file),
            pieces: pieces(&file.texts),
            functions: file.texts.as_ref().map(|text| source::functions(text)),
            definitions: file.texts.as_ref().map(|text| source::definitions(text)),
            paths: file
                .paths
                .map(|path| Some(path?.to_string_lossy().into_owned())),
            texts: file.texts,
        });
        Hunks {
            files: files.collect(),
        }
    }

    /// The path on the base side of a file with this path on the head side, if it was renamed.
    pub(super) fn former_path(&self, head: &str) -> Option<&str> {
        let file = self
            .files
            .iter()
            .find(|f| f.paths.head.as_deref() == Some(head))?;
        file.paths.base.as_deref()
    }

    /// The code of the function around a line after its name, where its file has changed; white
    /// space, which a move changes, is left out.
    pub(super) fn body_at(&self, side: Side, path: &str, line: u32) -> Option<String> {
        let file = self.file(side, path)?;
        let function = source::enclosing(file.functions.get(side), line)?;
        let code = lines_of(file.texts.get(side), &function.lines);
        let (_, body) = code.split_once(&function.name)?;
        Some(body.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Where a line of the base side is on the head side; `None` if it differs there.
    pub(super) fn on_head(&self, base: &Location) -> Option<Location> {
        let Some((_, file)) = self.indexed(Side::Base, &base.path) else {
            return Some(base.clone());
        };
        let at_head = |line: i64| {
            Some(Location {
                path: file.paths.head.clone()?,
                line: u32::try_from(line).ok()?,
            })
        };
        let mut line = i64::from(base.line);
        for piece in &file.pieces {
            let mut lines = piece.lines.iter();
            if let Some(own) = lines.find(|line| line.base == Some(base.line)) {
                return at_head(i64::from(own.head?));
            }
            let mut lines = piece.lines.iter().filter_map(|line| line.base);
            if lines.all(|line| line < base.line) {
                line += piece.growth();
            }
        }
        at_head(line)
    }

    /// The hunks that differ within the function around a line.
    pub(super) fn within(&self, side: Side, path: &str, line: u32) -> Vec<HunkId> {
        let Some((index, file)) = self.indexed(side, path) else {
            return Vec::new();
        };
        let Some(function) = source::enclosing(file.functions.get(side), line) else {
            return Vec::new();
        };
        let touches = |piece: &Piece| overlap(piece.changed.get(side), &function.lines);
        ids(index, file, touches)
    }

    /// The hunks that define something used in the function around a line (functions that it calls,
    /// constants, types), with the names that they define.
    pub(super) fn used_by(&self, side: Side, path: &str, line: u32) -> Vec<(HunkId, String)> {
        let Some(file) = self.file(side, path) else {
            return Vec::new();
        };
        let Some(function) = source::enclosing(file.functions.get(side), line) else {
            return Vec::new();
        };
        let code = lines_of(file.texts.get(side), &function.lines);
        self.defining(side, &source::mentioned(&code), Some(&function.name))
    }

    /// The hunks that change the definition of one of these names.
    pub(super) fn defining(
        &self,
        side: Side,
        names: &BTreeSet<&str>,
        except: Option<&str>,
    ) -> Vec<(HunkId, String)> {
        let mut found = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            for (number, piece) in file.pieces.iter().enumerate() {
                let changed = piece.changed.get(side);
                let definitions = file.definitions.get(side).iter();
                let distinctive = definitions.filter(|item| is_distinctive(&item.name));
                let name = file
                    .functions
                    .get(side)
                    .iter()
                    .chain(distinctive)
                    .filter(|item| overlap(changed, &item.lines))
                    .map(|item| item.name.as_str())
                    .find(|name| names.contains(name) && Some(*name) != except);
                if let Some(name) = name {
                    let id = HunkId {
                        file: index,
                        piece: number,
                    };
                    found.push((id, name.to_owned()));
                }
            }
        }
        found
    }

    /// A hunk, to be shown.
    pub(super) fn get(&self, id: HunkId, relation: String) -> Hunk {
        let file = &self.files[id.file];
        let piece = &file.pieces[id.piece];
        let path = file.paths.head.as_ref().or(file.paths.base.as_ref());
        let mut lines = piece.lines.clone();
        let left_out = lines.len().saturating_sub(LONGEST);
        lines.truncate(LONGEST);
        Hunk {
            path: path.cloned().unwrap_or_default(),
            relation,
            line: piece.changed.head.start.max(1),
            commit: last_commit(file, piece),
            lines,
            left_out,
        }
    }

    fn file(&self, side: Side, path: &str) -> Option<&File> {
        self.indexed(side, path).map(|(_, file)| file)
    }

    fn indexed(&self, side: Side, path: &str) -> Option<(usize, &File)> {
        let mut files = self.files.iter().enumerate();
        files.find(|(_, file)| file.paths.get(side).as_deref() == Some(path))
    }
}

fn ids(file: usize, of: &File, wanted: impl Fn(&Piece) -> bool) -> Vec<HunkId> {
    let pieces = of.pieces.iter().enumerate();
    pieces
        .filter(|(_, piece)| wanted(piece))
        .map(|(piece, _)| HunkId { file, piece })
        .collect()
}

fn is_rust(file: &ChangedFile) -> bool {
    let paths = [&file.paths.head, &file.paths.base];
    let mut paths = paths.into_iter().flatten();
    paths.any(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Whether a name is written like that of a constant or a type. Other names are too common to mean one thing.
fn is_distinctive(name: &str) -> bool {
    name.len() > 1 && name.starts_with(char::is_uppercase)
}

/// Whether changed lines touch those of a function. If lines are only missing, the place between
/// two lines counts.
fn overlap(changed: &Range<u32>, lines: &std::ops::RangeInclusive<u32>) -> bool {
    match changed.is_empty() {
        true => changed.start > *lines.start() && changed.start <= *lines.end(),
        false => changed.start <= *lines.end() && changed.end > *lines.start(),
    }
}

fn lines_of(text: &str, lines: &std::ops::RangeInclusive<u32>) -> String {
    let first = (*lines.start()).max(1) as usize - 1;
    let count = (*lines.end() as usize).saturating_sub(first);
    let lines: Vec<&str> = text.lines().skip(first).take(count).collect();
    lines.join("\n")
}

/// The hunks between two texts. Changes of white space and comments alone are hunks, too: the
/// function shows whether they matter.
fn pieces(texts: &Paired<String>) -> Vec<Piece> {
    let diff = TextDiff::from_lines(&texts.base, &texts.head);
    let groups = diff.grouped_ops(CONTEXT).into_iter();
    groups
        .map(|ops| {
            let mut lines = Vec::new();
            let mut spans = Paired::new(LineSpan::NONE, LineSpan::NONE);
            for change in ops.iter().flat_map(|op| diff.iter_changes(op)) {
                let number = |index: Option<usize>| index.map(|index| index as u32 + 1);
                let (base, head) = (number(change.old_index()), number(change.new_index()));
                let kind = match change.tag() {
                    ChangeTag::Equal => LineKind::Same,
                    ChangeTag::Delete => LineKind::Removed,
                    ChangeTag::Insert => LineKind::Added,
                };
                spans
                    .base
                    .take(base, kind == LineKind::Removed, kind != LineKind::Same);
                spans
                    .head
                    .take(head, kind == LineKind::Added, kind != LineKind::Same);
                let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
                lines.push(DiffLine {
                    kind,
                    base,
                    head,
                    text,
                });
            }
            Piece {
                changed: spans.map(LineSpan::range),
                lines,
            }
        })
        .collect()
}

/// Grows over the lines that differ on a side.
#[derive(Clone, Copy)]
struct LineSpan {
    seen: u32,
    first: Option<u32>,
    last: Option<u32>,
    place: Option<u32>,
}

impl LineSpan {
    const NONE: LineSpan = LineSpan {
        seen: 0,
        first: None,
        last: None,
        place: None,
    };

    fn take(&mut self, line: Option<u32>, is_own: bool, is_change: bool) {
        if is_own {
            self.first = self.first.or(line);
            self.last = line;
        } else if is_change && self.place.is_none() {
            self.place = Some(self.seen + 1);
        }
        if let Some(line) = line {
            self.seen = line;
        }
    }

    fn range(self) -> Range<u32> {
        match (self.first, self.last, self.place) {
            (Some(first), Some(last), _) => first..last + 1,
            (_, _, place) => place.unwrap_or(1)..place.unwrap_or(1),
        }
    }
}

/// The latest commit of the range that touched a line of the hunk, or a line next to removed ones.
fn last_commit(file: &File, piece: &Piece) -> Option<CommitRef> {
    let changed = &piece.changed.head;
    let range = match changed.is_empty() {
        true => changed.start.saturating_sub(1)..changed.start + 1,
        false => changed.clone(),
    };
    let touches = file.touched.range(range).map(|(_, touch)| touch);
    let last = touches.max_by_key(|touch| touch.committed_at)?;
    Some(CommitRef {
        short_id: last.short_id.clone(),
        subject: last.subject.clone(),
    })
}
