//! Five kinds of changes, each of three nominal sizes. Every one is in a module of its own, beside seven functions that stay as they are.

use std::fmt::Write as _;

/// Steps of a module before its change: seven functions of [`STEPS`] each, and one that changes.
const STEPS: u64 = 1000;
const UNTOUCHED: u64 = 7;

/// By how much the time of a module is meant to grow, in per cent; the real change differs by its kind.
pub(super) const SIZES: [u64; 3] = [2, 3, 5];

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A constant that a function uses is larger.
    Constant,
    /// What a function reads lies in another collection.
    Structure,
    /// A small function is no longer inlined.
    Inlining,
    /// A function calls another one once more.
    Call,
    /// A loop has more iterations.
    Iterations,
}

impl Cause {
    pub(super) const ALL: [Cause; 5] = [
        Cause::Constant,
        Cause::Structure,
        Cause::Inlining,
        Cause::Call,
        Cause::Iterations,
    ];

    fn name(self) -> &'static str {
        match self {
            Cause::Constant => "constant",
            Cause::Structure => "structure",
            Cause::Inlining => "inlining",
            Cause::Call => "call",
            Cause::Iterations => "iterations",
        }
    }
}

/// A change in a module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planted {
    pub(super) cause: Cause,
    /// By how much the module's time is meant to grow, in per cent.
    pub(super) size: u64,
}

/// Whether the planted change is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Before,
    After,
}

impl Planted {
    pub(super) fn all() -> Vec<Planted> {
        let of = |cause| SIZES.map(|size| Planted { cause, size });
        Cause::ALL.into_iter().flat_map(of).collect()
    }

    /// Its module, and its benchmark.
    pub(super) fn name(self) -> String {
        format!("{}_{}", self.cause.name(), self.size)
    }

    /// The functions of which either may be named first.
    pub(super) fn functions(self) -> &'static [&'static str] {
        match self.cause {
            Cause::Constant | Cause::Structure | Cause::Iterations => &["target"],
            Cause::Inlining => &["helper", "target"],
            Cause::Call => &["check", "target"],
        }
    }

    /// What a line has that the change adds.
    pub(super) fn line(self) -> String {
        match self.cause {
            Cause::Constant => format!("ROUNDS_{}: u64", self.size),
            Cause::Structure => "items: std::collections::VecDeque<u64>".to_owned(),
            Cause::Inlining => "#[inline(never)]".to_owned(),
            Cause::Call => "x = check(x ^ 1);".to_owned(),
            Cause::Iterations => format!("for n in 0..{} ", STEPS + self.more()),
        }
    }

    /// So many steps more make a module slower by its size.
    fn more(self) -> u64 {
        (UNTOUCHED + 1) * STEPS * self.size / 100
    }

    /// What tells a function of this module from all others.
    fn salt(self, function: u64) -> u64 {
        (self.cause as u64 * 8 + self.size) * 32 + function
    }

    /// Everything that changes.
    fn target(self, version: Version) -> String {
        let (size, more) = (self.size, self.more());
        let before = version == Version::Before;
        let count = if before { STEPS } else { STEPS + more };
        match self.cause {
            Cause::Constant => format!(
                "const ROUNDS_{size}: u64 = {count};\n\n{}",
                function(
                    "target",
                    &step_loop(&format!("ROUNDS_{size}"), self.salt(20))
                )
            ),
            Cause::Iterations => function("target", &step_loop(&count.to_string(), self.salt(20))),
            Cause::Structure => structure(size, before),
            Cause::Inlining => inlining(size, before),
            Cause::Call => {
                let again = if before {
                    ""
                } else {
                    "    x = check(x ^ 1);\n"
                };
                let check = function("check", &step_loop(&more.to_string(), self.salt(21)));
                let rest = step_loop(&(STEPS - more).to_string(), self.salt(20));
                format!(
                    "{check}\n{}",
                    function("target", &format!("    x = check(x);\n{again}{rest}"))
                )
            }
        }
    }

    fn module(self, version: Version) -> String {
        let mut text = format!("pub mod {} {{\n", self.name());
        for number in 0..UNTOUCHED {
            let _ = writeln!(
                text,
                "{}",
                function(
                    &format!("step{number}"),
                    &step_loop(&STEPS.to_string(), self.salt(number))
                )
            );
        }
        text.push_str(&self.target(version));
        let steps = (0..UNTOUCHED).map(|number| format!("    x = step{number}(x);\n"));
        let steps: String = steps.collect();
        let (takes, gives) = match self.cause {
            Cause::Structure => (
                format!("shelf: &Shelf{}, mut x: u64", self.size),
                "shelf, x",
            ),
            _ => ("mut x: u64".to_owned(), "x"),
        };
        let _ = writeln!(
            text,
            "\npub fn all({takes}) -> u64 {{\n{steps}    x = target({gives});\n    x\n}}\n}}\n"
        );
        text
    }
}

/// A loop of so many steps, each of which waits for the one before. No two functions have the same loop: the compiler would
/// make one function of them.
fn step_loop(count: &str, salt: u64) -> String {
    format!(
        "    for n in 0..{count} {{\n        x = x.rotate_left(5).wrapping_mul({} + n);\n    }}\n",
        0x9e37_79b9_7f4a_7c15_u64 ^ (salt << 1)
    )
}

fn function(name: &str, body: &str) -> String {
    format!("#[inline(never)]\nfn {name}(mut x: u64) -> u64 {{\n{body}    x\n}}\n")
}

/// A sum over a collection that is read at computed places.
fn structure(size: u64, before: bool) -> String {
    let collection = if before {
        "Vec<u64>"
    } else {
        "std::collections::VecDeque<u64>"
    };
    let reads = 260 * size;
    format!(
        "pub struct Shelf{size} {{\n    items: {collection},\n}}\n\nimpl Shelf{size} {{\n    \
         pub fn new() -> Self {{\n        \
         Self {{\n            items: (0..61).collect(),\n        }}\n    }}\n}}\n\n\
         #[inline(never)]\nfn target(shelf: &Shelf{size}, mut x: u64) -> u64 {{\n    for _ in 0..{reads} {{\n        \
         x = x.wrapping_add(shelf.items[(x % 61) as usize]).rotate_left(9);\n    }}\n    x\n}}\n"
    )
}

/// A small function that is called in a loop.
fn inlining(size: u64, before: bool) -> String {
    let inline = if before { "always" } else { "never" };
    let calls = 110 * size;
    format!(
        "#[inline({inline})]\nfn helper(x: u64, n: u64) -> u64 {{\n    (x ^ (n + {size})).rotate_left(7)\n}}\n\n\n\n\n{}",
        function(
            "target",
            &format!("    for n in 0..{calls} {{\n        x = helper(x, n);\n    }}\n")
        )
    )
}

/// The library without and with the changes.
pub(super) fn libraries() -> [String; 2] {
    [Version::Before, Version::After].map(|version| {
        let modules = Planted::all().into_iter().map(|one| one.module(version));
        modules.collect()
    })
}

/// A benchmark for each module.
pub(super) fn benches() -> String {
    let mut all = String::new();
    for planted in Planted::all() {
        let (name, size) = (planted.name(), planted.size);
        let _ = match planted.cause {
            Cause::Structure => writeln!(
                all,
                "let shelf = p0::{name}::Shelf{size}::new();\n\
                 c.bench_function(\"{name}\", |b| b.iter(|| p0::{name}::all(black_box(&shelf), black_box(7))));"
            ),
            _ => writeln!(
                all,
                "c.bench_function(\"{name}\", |b| b.iter(|| p0::{name}::all(black_box(7))));"
            ),
        };
    }
    format!(
        "use std::hint::black_box;\nuse criterion::{{Criterion, criterion_group, criterion_main}};\n\
         fn planted(c: &mut Criterion) {{\n{all}}}\n\
         criterion_group!(benches, planted);\ncriterion_main!(benches);\n"
    )
}
