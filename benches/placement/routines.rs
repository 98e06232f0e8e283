//! Forty routines, and code that none of them executes.

use std::fmt::Write as _;

/// Bodies of routines over `n`, by what they do.
const KINDS: [&str; 8] = [
    "(0..n).fold(SEED, |sum, x| sum.wrapping_mul(31).wrapping_add(x))",
    "let mut x = n | 1; let mut steps = 0; while x != 1 && steps < n { x = if x % 2 == 0 { x / 2 } else { 3 * x + 1 }; steps += 1; } steps",
    "TEXT.as_bytes().iter().take(n as usize).filter(|byte| byte.is_ascii_uppercase()).count() as u64",
    "TEXT.bytes().take(n as usize).fold(5381, |hash: u64, byte| (hash << 5).wrapping_add(hash) ^ u64::from(byte))",
    "let (mut a, mut b) = (n * 7919 + 3, n * 104_729 + 1); while b != 0 { (a, b) = (b, a % b); } a",
    "TABLE[..(n as usize).min(64)].iter().rev().position(|value| *value == n).unwrap_or(9) as u64",
    "let mut low = 0; let mut high = TABLE.len(); while low < high { let middle = (low + high) / 2; if TABLE[middle] < n * 3 { low = middle + 1 } else { high = middle } } low as u64",
    "let mut left = n; let mut bits = 0; while left != 0 { bits += left & 1; left >>= 1; } bits + TABLE[(n % 64) as usize].count_ones() as u64",
];

const SIZES: [u64; 5] = [1, 4, 9, 17, 40];

/// How much other code there is on `main`.
const OTHERS: usize = 24;

/// The benchmarks.
pub(super) fn benches() -> String {
    let mut groups = String::new();
    for kind in 0..KINDS.len() {
        for size in SIZES {
            let _ = writeln!(
                groups,
                "c.bench_function(\"routine{kind}/{size}\", |b| b.iter(|| p0::routine{kind}(black_box({size}))));"
            );
        }
    }
    format!(
        "use std::hint::black_box;\nuse criterion::{{Criterion, criterion_group, criterion_main}};\n\
         fn routines(c: &mut Criterion) {{\n{groups}\
         c.bench_function(\"other\", |b| b.iter(|| p0::other::all(black_box(3))));\n}}\n\
         criterion_group!(benches, routines);\ncriterion_main!(benches);\n"
    )
}

/// The library on `main`.
pub(super) fn library() -> String {
    text(
        &(0..OTHERS)
            .map(|number| other(number, 1))
            .collect::<Vec<_>>(),
        "other",
        false,
    )
}

/// Branches that change nothing that a routine executes.
pub(super) fn branches() -> Vec<(&'static str, String)> {
    let main: Vec<String> = (0..OTHERS).map(|number| other(number, 1)).collect();
    let with = |at: usize, length: usize| {
        let mut others = main.clone();
        others[at] = other(at, length);
        text(&others, "other", false)
    };
    let added = |count: usize| {
        let more = (OTHERS..OTHERS + count).map(|number| other(number, 2));
        text(
            &main.iter().cloned().chain(more).collect::<Vec<_>>(),
            "other",
            false,
        )
    };
    vec![
        ("added-1", added(1)),
        ("added-5", added(5)),
        ("longer-first", with(0, 3)),
        ("longer-middle", with(11, 2)),
        ("longer-last", with(OTHERS - 1, 6)),
        (
            "strings",
            text(&main, "another, longer text of the other code", false),
        ),
        ("strings-long", text(&main, &"words ".repeat(60), false)),
        ("order", text(&main, "other", true)),
    ]
}

/// A function that prints and computes, as long as asked for.
fn other(number: usize, length: usize) -> String {
    let steps = (0..length).map(|step| {
        format!(
            "text.push_str(&format!(\"{{}}-{step}-{{:x}}\", WORDS, n + {number})); \
             sum = sum.rotate_left(7) ^ text.len() as u64 ^ n.wrapping_mul({}); ",
            number * 2 + step + 3
        )
    });
    format!(
        "#[inline(never)]\npub fn other{number}(n: u64) -> u64 {{ let mut text = String::new(); let mut sum = n; {}sum }}\n",
        steps.collect::<String>()
    )
}

fn text(others: &[String], words: &str, reversed: bool) -> String {
    let mut routines = String::from(
        "const SEED: u64 = 17;\n\
         static TEXT: &str = \"The Quick Brown Fox Jumps Over The Lazy Dog And Runs Away From Here\";\n\
         static TABLE: [u64; 64] = { let mut table = [0; 64]; let mut at = 0; while at < 64 { table[at] = at as u64 * 3; at += 1; } table };\n",
    );
    for (kind, body) in KINDS.iter().enumerate() {
        let _ = writeln!(
            routines,
            "#[inline(never)]\npub fn routine{kind}(n: u64) -> u64 {{ {body} }}"
        );
    }
    let calls = (0..others.len()).map(|number| format!("other{number}(n) ^ "));
    let other = format!(
        "pub mod other {{\nconst WORDS: &str = \"{words}\";\n{}pub fn all(n: u64) -> u64 {{ {}n }}\n}}\n",
        others.concat(),
        calls.collect::<String>()
    );
    match reversed {
        false => format!("{routines}{other}"),
        true => format!("{other}{routines}"),
    }
}
