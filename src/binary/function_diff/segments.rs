//! Whether two stretches of data are the same.

use std::ops::Range;

use crate::units::{Paired, Side};

use super::super::image::Slot;
use super::cuts::Cuts;
use super::sides::Sides;

/// A number for what a pointer or a distance leads to, 256 or more: the same on both sides where it is the same.
pub(super) type Tokens<'a> = &'a dyn Fn(Side, &Slot) -> u64;

/// Zeros at the end of a stretch may be padding, up to the largest alignment that compilers use for
/// constants.
const PADDING: usize = 64;

/// What came of comparing two stretches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SegmentOutcome {
    /// They are the same.
    Equal,
    /// One of them continues with something that begins at an address that is referred to.
    Longer,
    /// They differ from here on.
    Changed(Paired<Range<u64>>),
}

/// Data as numbers: a byte is one below 256, an address that the loader fills in or a distance to one is one above.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) tokens: Vec<u64>,
    /// Where each token stands.
    at: Vec<u64>,
}

impl Stream {
    /// All of a stretch.
    pub(super) fn raw(
        sides: Sides<'_>,
        tokens: Tokens<'_>,
        side: Side,
        range: Range<u64>,
    ) -> Stream {
        Stream::read(sides, tokens, side, range, |_| None)
    }

    /// A stretch without the data that is handled separately.
    fn of(sides: Sides<'_>, tokens: Tokens<'_>, side: Side, range: Range<u64>) -> Stream {
        let cuts = sides.cuts.get(side);
        Stream::read(sides, tokens, side, range, |at| cuts.set_aside_until(at))
    }

    fn read(
        sides: Sides<'_>,
        tokens: Tokens<'_>,
        side: Side,
        range: Range<u64>,
        skip: impl Fn(u64) -> Option<u64>,
    ) -> Stream {
        let program = sides.programs.get(side);
        let mut stream = Stream::default();
        let Some(bytes) = program.bytes(range.start, range.end) else {
            // Reserved space holds zeros; its size stands for them.
            stream.tokens.push(range.end - range.start);
            stream.at.push(range.start);
            return stream;
        };
        let mut slots = program.image.slots.range(range.clone()).peekable();
        let distances = &sides.cuts.get(side).distances;
        let mut at = range.start;
        while at < range.end {
            if let Some(end) = skip(at) {
                at = end.min(range.end);
                continue;
            }
            while slots.next_if(|(slot, _)| **slot < at).is_some() {}
            stream.at.push(at);
            if let Some(target) = distances.get(&at) {
                stream.tokens.push(tokens(side, &Slot::Own(*target)));
                at += 4;
                continue;
            }
            match slots.next_if(|(slot, _)| **slot == at) {
                Some((_, slot)) => {
                    stream.tokens.push(tokens(side, slot));
                    at += 8;
                }
                None => {
                    stream
                        .tokens
                        .push(bytes[(at - range.start) as usize].into());
                    at += 1;
                }
            }
        }
        stream
    }

    /// How many tokens stand before `address`.
    fn index(&self, address: u64) -> usize {
        self.at.partition_point(|at| *at < address)
    }

    /// The places at which something begins, as token indices in ascending order.
    fn cuts(&self, cuts: &Cuts, range: &Range<u64>) -> Vec<usize> {
        let inside = cuts.all.range(range.start + 1..range.end);
        let mut found: Vec<usize> = inside.map(|(at, _)| self.index(*at)).collect();
        found.push(0);
        found.sort_unstable();
        found
    }
}

/// Compares a stretch of the base side with one of the head side that begins with the same thing.
pub(super) fn compare(
    sides: Sides<'_>,
    tokens: Tokens<'_>,
    ranges: &Paired<Range<u64>>,
) -> SegmentOutcome {
    let streams = Paired::from_fn(|side| Stream::of(sides, tokens, side, ranges.get(side).clone()));
    let (base, head) = (&streams.base.tokens[..], &streams.head.tokens[..]);
    if same_but_padding(base, head) {
        return SegmentOutcome::Equal;
    }
    let cuts = Paired::from_fn(|side| {
        streams
            .get(side)
            .cuts(sides.cuts.get(side), ranges.get(side))
    });
    let longer = |long: &[u64], short: &[u64], cuts: &[usize]| {
        // Of two equally long stretches, neither continues.
        let near = |at: &usize| *at > 0 && at.abs_diff(short.len()) < PADDING;
        let mut starts = cuts.iter().copied().filter(near);
        long.len() > short.len() && starts.any(|at| same_but_padding(&long[..at], short))
    };
    if longer(head, base, &cuts.head) || longer(base, head, &cuts.base) {
        return SegmentOutcome::Longer;
    }
    let alike = base.iter().zip(head).take_while(|(b, h)| b == h).count();
    let begin = Paired::from_fn(|side| {
        let before = cuts.get(side).iter().rev().find(|at| **at <= alike);
        before.copied().unwrap_or_default()
    });
    let begin = begin.base.min(begin.head);
    SegmentOutcome::Changed(Paired::from_fn(|side| {
        let at = &streams.get(side).at;
        let whole = ranges.get(side);
        at.get(begin).copied().unwrap_or(whole.start)..whole.end
    }))
}

/// Whether two stretches are equal up to zeros at the end of one of them.
fn same_but_padding(a: &[u64], b: &[u64]) -> bool {
    let shorter = a.len().min(b.len());
    let rest = if a.len() > b.len() {
        &a[shorter..]
    } else {
        &b[shorter..]
    };
    rest.len() < PADDING && a[..shorter] == b[..shorter] && rest.iter().all(|token| *token == 0)
}
