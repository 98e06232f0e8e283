//! Real executables: one small program, built again after one edit each.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use fs_err as fs;

use crate::units::Side;

use super::*;

const LIB: &str = r#"
pub static TABLE: [u32; 64] = { let mut t = [7; 64]; t[3] = 9; t };
pub static LIMITS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(11);
pub static FILES: [(&str, u32, u32); 2] = [("src/lib.rs", 6, 28), ("src/other.rs", 1, 1)];

pub fn pick(at: usize) -> u32 { TABLE[at] }
pub fn wants(value: Option<usize>) -> usize { value.unwrap() }

pub trait Shape { fn area(&self) -> u64; fn name(&self) -> String; }
pub struct Square(pub u64);
pub struct Circle(pub u64);
impl Shape for Square {
    fn area(&self) -> u64 { self.0 * self.0 }
    fn name(&self) -> String { "square".repeat(self.0 as usize) }
}
impl Shape for Circle {
    fn area(&self) -> u64 { self.0 * 3 }
    fn name(&self) -> String { "circle".repeat(self.0 as usize) }
}
pub fn shape(n: usize) -> Box<dyn Shape> {
    if n % 2 == 0 { Box::new(Square(n as u64)) } else { Box::new(Circle(n as u64)) }
}

#[inline(always)]
fn inlined(n: u64) -> u64 { n.wrapping_mul(3) ^ 5 }
#[inline(never)]
pub fn outer(n: u64) -> u64 { inlined(n) + inlined(n + 1) }

#[inline(never)]
pub fn generic<T: Copy + Into<u64>>(values: &[T]) -> u64 {
    values.iter().map(|v| (*v).into()).fold(0, |a: u64, b: u64| a.rotate_left(3) ^ b)
}

pub fn here() -> u32 { std::hint::black_box(line!()) }
pub fn version() -> &'static str { env!("CARGO_PKG_VERSION") }
pub fn folder() -> &'static str { env!("CARGO_MANIFEST_DIR") }
pub fn data() -> &'static [u8] { include_bytes!("data.txt") }

const CONSTANTS: [u32; 64] = { let mut t = [3; 64]; t[40] = 5; t };
#[inline(never)]
pub fn constant(at: usize) -> u32 { CONSTANTS[at] }
#[inline(never)]
pub fn limit() -> u64 { LIMITS.load(std::sync::atomic::Ordering::Relaxed) }
#[inline(never)]
pub fn untouched(n: u64) -> u64 { n.rotate_left(7) ^ 0x55 }
#[inline(never)]
pub fn name_of(n: usize) -> &'static str {
    match n % 5 { 0 => "null", 1 => "eins", 2 => "zwei", 3 => "drei", _ => "vier" }
}
fn first(n: u64) -> u64 { n.wrapping_mul(11) }
fn second(n: u64) -> u64 { n.wrapping_mul(13) }
static CALLS: [fn(u64) -> u64; 2] = [first, second];
#[inline(never)]
pub fn call(n: usize) -> u64 { CALLS[n % 2](n as u64) }
#[inline(never)]
pub fn chosen(n: usize) -> Box<dyn Shape> {
    if n % 3 == 0 { Box::new(Square(n as u64)) } else { Box::new(Circle(n as u64)) }
}
#[inline(never)]
pub fn either(n: u64) -> u64 {
    if n % 7 == 3 {
        (0..n).fold(1, |a, x| std::hint::black_box(a ^ x.rotate_left(21)))
    } else {
        (0..n).fold(2, |a, x| std::hint::black_box(a ^ x.wrapping_mul(34)))
    }
}
static ONE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
static OTHER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
#[inline(never)]
pub fn counted() -> u64 { ONE.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }
#[inline(never)]
pub fn others() -> u64 { OTHER.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }
"#;

const BENCH: &str = r#"
use program::*;
fn main() {
    let n = std::env::args().count();
    let shape = shape(n);
    println!("{} {} {} {}", pick(n), wants(Some(n)), shape.area(), shape.name());
    println!("{} {}", outer(n as u64), generic(&[n as u8, 2]) + generic(&[n as u32, 2]));
    println!("{} {} {} {:?}", here(), version(), folder(), data());
    println!("{} {} {} {}", constant(n), limit(), untouched(n as u64), name_of(n));
    println!("{} {} {} {}", call(n), chosen(n).area(), counted(), others());
    println!("{}", either(n as u64));
    println!("{:?} {:?}", FILES[n], LIMITS.load(std::sync::atomic::Ordering::Relaxed));
}
"#;

const MANIFEST: &str = r#"
[package]
name = "program"
version = "0.1.0"
edition = "2021"
[[bench]]
name = "bench"
harness = false
[workspace]
"#;

/// A program in `…/base` or `…/head` of a folder of its own, and its executable.
pub(in crate::binary) struct Program {
    folder: tempfile::TempDir,
    side: Side,
    executable: PathBuf,
}

impl Program {
    pub(in crate::binary) fn build(side: Side, edit: impl Fn(&str, &str) -> String) -> Program {
        Program::build_with(side, &[], edit)
    }

    /// The same, with settings of cargo's.
    pub(in crate::binary) fn build_with(
        side: Side,
        settings: &[&str],
        edit: impl Fn(&str, &str) -> String,
    ) -> Program {
        // Equally long for all.
        let folder = tempfile::Builder::new()
            .prefix("identity-")
            .tempdir()
            .unwrap();
        let root = folder.path().join(side.name());
        let files = [
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", LIB),
            ("src/data.txt", "some data"),
            ("benches/bench.rs", BENCH),
        ];
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, edit(name, text)).unwrap();
        }
        let target_dir = folder.path().join("target").join(side.name());
        let mut command = Command::new("cargo");
        crate::process::clean_env(&mut command);
        let output = command
            .args([
                "bench",
                "--no-run",
                "--offline",
                "--bench",
                "bench",
                "--target-dir",
            ])
            .arg(&target_dir)
            .args(settings.iter().flat_map(|setting| ["--config", setting]))
            .env("CARGO_PROFILE_BENCH_DEBUG", "1")
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut deps = fs::read_dir(target_dir.join("release/deps")).unwrap();
        let executable = deps.find_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name.starts_with("bench-") && path.extension().is_none()).then_some(path)
        });
        Program {
            executable: executable.unwrap(),
            side,
            folder,
        }
    }

    /// The unedited program; built once.
    fn base() -> &'static Program {
        static BASE: OnceLock<Program> = OnceLock::new();
        BASE.get_or_init(|| Program::build(Side::Base, |_, text| text.to_owned()))
    }

    /// The head side with one replacement in the library.
    pub(in crate::binary) fn with(from: &str, to: &str) -> Program {
        assert!(LIB.contains(from), "{from}");
        Program::build(Side::Head, |name, text| match name {
            "src/lib.rs" => text.replace(from, to),
            _ => text.to_owned(),
        })
    }

    fn difference(&self) -> Option<String> {
        self.compared(|executables, trees| code_difference(executables, trees).unwrap())
    }

    /// What `how` says of the unedited program and this one.
    pub(in crate::binary) fn compared<T>(
        &self,
        how: impl Fn(Paired<&Path>, Paired<Tree<'_>>) -> T,
    ) -> T {
        self.compared_with(Program::base(), how)
    }

    /// What `how` says of another program and this one.
    pub(in crate::binary) fn compared_with<T>(
        &self,
        base: &Program,
        how: impl Fn(Paired<&Path>, Paired<Tree<'_>>) -> T,
    ) -> T {
        let programs = Paired::new(base, self);
        let roots = programs.map(|p| p.folder.path().join(p.side.name()));
        let targets = programs.map(|p| p.folder.path().join("target").join(p.side.name()));
        let trees = Paired::from_fn(|side| Tree {
            checkout: roots.get(side),
            workspace: roots.get(side),
            target_dir: targets.get(side),
        });
        how(programs.map(|p| p.executable.as_path()), trees)
    }
}

fn assert_different(program: &Program, section: &str) {
    match program.difference() {
        Some(what) => assert!(what.contains(section), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_source_in_the_other_folder_is_identical() {
    let same = Program::build(Side::Head, |_, text| text.to_owned());
    assert_eq!(same.difference(), None);
}

#[test]
fn comments_that_move_panic_locations_are_identical_code() {
    let commented = Program::build(Side::Head, |name, text| match name {
        "src/lib.rs" => {
            let text = text.replace("pub fn pick", "/// Picks\n/// one.\npub fn pick");
            // `line!()` must stay where it is: that number is code.
            text.replace("\n\n#[inline(always)]", "\n#[inline(always)]")
                .replace(
                    "\n\n#[inline(never)]\npub fn generic",
                    "\n#[inline(never)]\npub fn generic",
                )
        }
        "benches/bench.rs" => {
            text.replace("fn main() {", "// Starts.\nfn main() {\n    // Begins.")
        }
        _ => text.to_owned(),
    });
    let (base, head) = (Program::base(), &commented);
    assert_ne!(
        fs::read(&base.executable).unwrap(),
        fs::read(&head.executable).unwrap()
    );
    assert_eq!(commented.difference(), None);
}

#[test]
fn a_changed_constant_table_is_a_difference() {
    assert_different(&Program::with("t[3] = 9", "t[3] = 8"), ".rodata");
}

#[test]
fn a_changed_static_is_a_difference() {
    assert_different(
        &Program::with("AtomicU64::new(11)", "AtomicU64::new(12)"),
        ".data",
    );
}

#[test]
fn a_changed_target_of_a_vtable_is_a_difference() {
    let edit = Program::with(
        "fn name(&self) -> String { \"circle\".repeat(self.0 as usize) }",
        "fn name(&self) -> String { \"square\".repeat(self.0 as usize) }",
    );
    assert!(edit.difference().is_some(), "{:?}", edit.difference());
}

#[test]
fn a_changed_generic_function_is_a_difference() {
    assert_different(&Program::with("rotate_left(3)", "rotate_left(4)"), ".text");
}

#[test]
fn a_changed_inlined_callee_is_a_difference() {
    assert_different(
        &Program::with("wrapping_mul(3) ^ 5", "wrapping_mul(3) ^ 6"),
        ".text",
    );
}

#[test]
fn a_changed_line_number_in_code_is_a_difference() {
    assert_different(&Program::with("pub fn here()", "\npub fn here()"), ".text");
}

#[test]
fn an_included_file_that_changed_is_a_difference() {
    let changed = Program::build(Side::Head, |name, text| match name {
        "src/data.txt" => "same size".to_owned(),
        _ => text.to_owned(),
    });
    assert!(changed.difference().is_some(), "{:?}", changed.difference());
}

#[test]
fn a_changed_version_of_the_package_is_a_difference() {
    let changed = Program::build(Side::Head, |name, text| match name {
        "Cargo.toml" => text.replace("0.1.0", "0.1.1"),
        _ => text.to_owned(),
    });
    assert!(changed.difference().is_some(), "{:?}", changed.difference());
}

#[test]
fn a_table_of_the_program_that_looks_like_panic_locations_is_compared() {
    // Of a file that is there, and of one that is not.
    assert_different(
        &Program::with("(\"src/lib.rs\", 6, 28)", "(\"src/lib.rs\", 7, 28)"),
        ".data.rel.ro",
    );
    assert_different(
        &Program::with("(\"src/other.rs\", 1, 1)", "(\"src/other.rs\", 2, 1)"),
        ".data.rel.ro",
    );
}

#[test]
fn what_is_not_an_executable_is_different_and_what_is_missing_is_an_error() {
    let temp = tempfile::tempdir().unwrap();
    let text = temp.path().join("text");
    fs::write(&text, "no executable").unwrap();
    let tree = Tree {
        checkout: temp.path(),
        workspace: temp.path(),
        target_dir: temp.path(),
    };
    let trees = Paired::new(tree, tree);
    let compared = code_difference(Paired::new(&text, &text), trees).unwrap();
    assert!(compared.is_some(), "{compared:?}");
    let missing = temp.path().join("missing");
    assert!(code_difference(Paired::new(&text, &missing), trees).is_err());
}
