//! An independent reader of pprof's files: the wire format of protocol buffers, by its specification
//! (<https://protobuf.dev/programming-guides/encoding/>), and the field numbers of `profile.proto`.

use std::io::Read as _;

/// A field of a message: its number, and its value.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Field numbers of `Profile`.
const SAMPLE_TYPE: u64 = 1;
const SAMPLE: u64 = 2;
const LOCATION: u64 = 4;
const FUNCTION: u64 = 5;
const STRING_TABLE: u64 = 6;

/// The strings of a compressed profile, once everything in it refers to something that is there.
pub(crate) fn strings(packed: &[u8]) -> Vec<String> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .expect("it is compressed with gzip");
    let fields = fields(&bytes);
    let messages = |wanted: u64| {
        let bytes = fields
            .iter()
            .filter_map(move |(number, value)| match value {
                Value::Bytes(bytes) if *number == wanted => Some(*bytes),
                _ => None,
            });
        bytes.collect::<Vec<&[u8]>>()
    };
    let strings: Vec<String> = messages(STRING_TABLE)
        .into_iter()
        .map(|bytes| String::from_utf8(bytes.to_vec()).expect("strings are UTF-8"))
        .collect();
    assert_eq!(strings[0], "", "the first string is empty");
    let kinds = messages(SAMPLE_TYPE).len();
    assert!(kinds > 0);
    let functions: Vec<u64> = messages(FUNCTION)
        .into_iter()
        .map(|f| number(f, 1))
        .collect();
    for function in messages(FUNCTION) {
        assert!((number(function, 2) as usize) < strings.len());
    }
    let mut locations = Vec::new();
    for location in messages(LOCATION) {
        locations.push(number(location, 1));
        for (field, value) in self::fields(location) {
            if let (4, Value::Bytes(line)) = (field, value) {
                assert!(functions.contains(&number(line, 1)));
            }
        }
    }
    let samples = messages(SAMPLE);
    assert!(!samples.is_empty());
    for sample in samples {
        assert!(
            packed_numbers(sample, 1)
                .iter()
                .all(|id| locations.contains(id))
        );
        let values = packed_numbers(sample, 2);
        assert_eq!(values.len(), kinds);
        assert!(values.iter().all(|value| *value > 0));
    }
    strings
}

fn number(message: &[u8], wanted: u64) -> u64 {
    let found = fields(message)
        .into_iter()
        .find_map(|(number, value)| match value {
            Value::Number(value) if number == wanted => Some(value),
            _ => None,
        });
    found.unwrap_or(0)
}

fn packed_numbers(message: &[u8], wanted: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    for (field, value) in fields(message) {
        match value {
            Value::Number(value) if field == wanted => numbers.push(value),
            Value::Bytes(mut bytes) if field == wanted => {
                while !bytes.is_empty() {
                    numbers.push(varint(&mut bytes));
                }
            }
            _ => {}
        }
    }
    numbers
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Value::Bytes(value)
            }
            other => panic!("no profile has a field of wire type {other}"),
        };
        fields.push((tag >> 3, value));
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().expect("a number is whole");
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number has at most ten bytes");
}
