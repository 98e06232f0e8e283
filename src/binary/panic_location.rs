//! Panic locations that have moved with their code.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

use crate::units::{Paired, Side, on_side};

use super::image::Image;
use super::tree::Tree;

/// The longest text that counts as a path.
const LONGEST_PATH: u64 = 4096;

/// The source files of both sides, read when a location names them.
#[derive(Debug)]
pub(super) struct SourceTexts<'a> {
    /// The executables as they are, with each side's own paths.
    own: Paired<Option<Image<'a>>>,
    trees: Paired<Tree<'a>>,
    lines: RefCell<HashMap<PathBuf, Option<Vec<String>>>>,
}

/// `core::panic::Location` as it lies in memory.
#[derive(Debug)]
struct PanicLocation<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

impl<'a> SourceTexts<'a> {
    pub(super) fn new(own: Paired<&'a [u8]>, trees: Paired<Tree<'a>>) -> SourceTexts<'a> {
        SourceTexts {
            own: own.map(|bytes| Image::parse(bytes).ok()),
            trees,
            lines: RefCell::default(),
        }
    }

    /// Whether what differs at `address` is line or column of a panic location that has moved with
    /// its code: of the same file (`images` have equal folders), with the same text at both places.
    pub(super) fn moved_location(&self, images: &Paired<Image<'_>>, address: u64) -> bool {
        // Records are aligned like the pointer in them, so line and column are the eight bytes
        // from sixteen on: there is one record that this can be in.
        let Some(record) = (address - address % 8).checked_sub(16) else {
            return false;
        };
        let Some(alike) = both(|side| location(images.get(side), record)) else {
            return false;
        };
        if alike.base.file != alike.head.file {
            return false;
        }
        let texts = both(|side| {
            let location = location(self.own.get(side).as_ref()?, record)?;
            self.text(side, &location)
        });
        texts.is_some_and(|texts| texts.base == texts.head)
    }

    /// The panic location at `record`, in words that are the same on both sides where it has merely
    /// moved with its code. `image` has both sides' folders made equal.
    pub(super) fn words(&self, side: Side, image: &Image<'_>, record: u64) -> Option<String> {
        let alike = location(image, record)?;
        let own = location(self.own.get(side).as_ref()?, record)?;
        // The standard library's own source is elsewhere, and the same for both.
        let at = match self.text(side, &own) {
            Some(text) => text,
            None => format!("{}:{}", alike.line, alike.column),
        };
        Some(format!("{}\0{at}", alike.file))
    }

    /// The source text at a location: the rest of the line, without a comment at its end. `None`
    /// where there is only space or a comment, where no code can be.
    fn text(&self, side: Side, location: &PanicLocation<'_>) -> Option<String> {
        let tree = self.trees.get(side);
        let path = on_side(&tree.workspace.join(location.file), tree.checkout);
        let mut files = self.lines.borrow_mut();
        let lines = files.entry(path).or_insert_with_key(|path| {
            let text = fs_err::read_to_string(path).ok()?;
            Some(text.lines().map(str::to_owned).collect())
        });
        let line = lines
            .as_ref()?
            .get((location.line as usize).checked_sub(1)?)?;
        let rest: String = line
            .chars()
            .skip((location.column as usize).checked_sub(1)?)
            .collect();
        let code = rest.split("//").next().unwrap_or_default().trim_end();
        let is_code = code.starts_with(|c: char| !c.is_whitespace());
        is_code.then(|| code.to_owned())
    }
}

/// Both images of one thing, for reading it on either side.
fn both<T>(mut of: impl FnMut(Side) -> Option<T>) -> Option<Paired<T>> {
    Paired::try_from_fn(|side| of(side).ok_or(())).ok()
}

/// The record at `address`, where it names a Rust source file.
fn location<'a>(image: &Image<'a>, address: u64) -> Option<PanicLocation<'a>> {
    let len = image.number(address.checked_add(8)?)?;
    if len > LONGEST_PATH {
        return None;
    }
    let name = image.at(image.pointer(address)?, usize::try_from(len).ok()?)?;
    let file = std::str::from_utf8(name).ok()?;
    // Since Rust 1.89 the text ends with a NUL for C's sake, outside or inside the length.
    let file = file.strip_suffix('\0').unwrap_or(file);
    if !file.ends_with(".rs") || file.contains(char::is_control) {
        return None;
    }
    let numbers = image.number(address.checked_add(16)?)?.to_le_bytes();
    let (line, column) = numbers.split_at(4);
    Some(PanicLocation {
        file,
        line: u32::from_le_bytes(line.try_into().ok()?),
        column: u32::from_le_bytes(column.try_into().ok()?),
    })
}
