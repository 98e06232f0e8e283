//! Stacks as pprof's protocol buffers, which `go tool pprof`, speedscope and others open.
//!
//! <https://github.com/google/pprof/blob/main/proto/profile.proto>

use std::collections::HashMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use pprof::protos::{Function, Line, Location, Message as _, Profile, Sample, ValueType};

use super::Stack;
use crate::binary::Frame;

/// What one of a stack's numbers measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind<'a> {
    /// Its name, as `cpu`.
    pub name: &'a str,
    /// Its unit, as `nanoseconds`.
    pub unit: &'a str,
    /// How many of its units one unit of a stack's weight stands for.
    pub each: u64,
}

/// A call stack with a number of every kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WeightedStack {
    /// Innermost first, inlined functions included.
    pub frames: Vec<Frame>,
    /// As many numbers as there are kinds.
    pub numbers: Vec<u64>,
}

/// A compressed profile in which each stack has one number of every kind: its weight, in that kind's
/// unit. The last kind is what a viewer shows first.
#[must_use]
pub(crate) fn pprof(stacks: &[Stack], kinds: &[Kind<'_>], comment: &str) -> Vec<u8> {
    let sampled = stacks.iter().map(|stack| WeightedStack {
        frames: stack.frames.clone(),
        numbers: kinds.iter().map(|_| stack.weight).collect(),
    });
    pprof_of(&sampled.collect::<Vec<_>>(), kinds, comment)
}

/// The same for stacks whose numbers are independent of each other.
#[must_use]
pub(crate) fn pprof_of(stacks: &[WeightedStack], kinds: &[Kind<'_>], comment: &str) -> Vec<u8> {
    let mut tables = Tables::new();
    let sample_type = kinds.iter().map(|kind| ValueType {
        ty: tables.string(kind.name),
        unit: tables.string(kind.unit),
    });
    let sample_type: Vec<ValueType> = sample_type.collect();
    let mut sample = Vec::new();
    for stack in stacks {
        let value = kinds
            .iter()
            .zip(&stack.numbers)
            .map(|(kind, number)| number.saturating_mul(kind.each));
        sample.push(Sample {
            location_id: stack.frames.iter().map(|f| tables.location(f)).collect(),
            value: value
                .map(|n| i64::try_from(n).unwrap_or(i64::MAX))
                .collect(),
            label: Vec::new(),
        });
    }
    let comment = vec![tables.string(comment)];
    let period = kinds.last().map_or(1, |kind| kind.each);
    let profile = Profile {
        period_type: sample_type.last().cloned(),
        period: i64::try_from(period).unwrap_or(i64::MAX),
        sample_type,
        sample,
        comment,
        location: tables.locations,
        function: tables.functions,
        string_table: tables.strings,
        ..Profile::default()
    };
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = packed.write_all(&profile.encode_to_vec());
    packed.finish().unwrap_or_default()
}

/// Every entry is stored once and referred to by its number.
struct Tables<'a> {
    strings: Vec<String>,
    string_ids: HashMap<String, i64>,
    functions: Vec<Function>,
    function_ids: HashMap<(i64, i64), u64>,
    locations: Vec<Location>,
    location_ids: HashMap<&'a Frame, u64>,
}

impl<'a> Tables<'a> {
    fn new() -> Tables<'a> {
        Tables {
            // The format wants the first string to be empty.
            strings: vec![String::new()],
            string_ids: HashMap::from([(String::new(), 0)]),
            functions: Vec::new(),
            function_ids: HashMap::new(),
            locations: Vec::new(),
            location_ids: HashMap::new(),
        }
    }

    fn string(&mut self, text: &str) -> i64 {
        if let Some(id) = self.string_ids.get(text) {
            return *id;
        }
        let id = self.strings.len() as i64;
        self.strings.push(text.to_owned());
        self.string_ids.insert(text.to_owned(), id);
        id
    }

    fn function(&mut self, frame: &Frame) -> u64 {
        let name = self.string(&frame.function);
        let file = frame.file.as_ref().map(|file| file.to_string_lossy());
        let filename = self.string(file.as_deref().unwrap_or_default());
        if let Some(id) = self.function_ids.get(&(name, filename)) {
            return *id;
        }
        // Zero is no number of anything.
        let id = self.functions.len() as u64 + 1;
        self.functions.push(Function {
            id,
            name,
            system_name: name,
            filename,
            start_line: 0,
        });
        self.function_ids.insert((name, filename), id);
        id
    }

    fn location(&mut self, frame: &'a Frame) -> u64 {
        if let Some(id) = self.location_ids.get(frame) {
            return *id;
        }
        let function_id = self.function(frame);
        let id = self.locations.len() as u64 + 1;
        self.locations.push(Location {
            id,
            line: vec![Line {
                function_id,
                line: frame.line.map_or(0, i64::from),
            }],
            ..Location::default()
        });
        self.location_ids.insert(frame, id);
        id
    }
}
