use super::super::items;
use super::*;

/// A crate with functions of many signatures, and a stand-in for Criterion with what skeletons use.
const CRATE: &str = include_str!("../../../fixtures/skeletons/crate.rs");

const CRITERION: &str = include_str!("../../../fixtures/skeletons/criterion.rs");

fn rustc(folder: &Path, words: &[&str]) {
    let output = std::process::Command::new("rustc")
        .args(["--edition", "2024", "-L", ".", "-D", "warnings"])
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {stderr}");
}

#[test]
fn the_skeleton_of_every_signature_compiles_or_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs_err::create_dir(root.join("src")).unwrap();
    for (path, text) in [
        ("Cargo.toml", "[package]\nname = \"lib-crate\"\n"),
        ("src/lib.rs", CRATE),
        ("criterion.rs", CRITERION),
    ] {
        fs_err::write(root.join(path), text).unwrap();
    }
    let library = ["--crate-type", "rlib", "--emit", "metadata,link"];
    rustc(root, &[&["criterion.rs"], &library[..]].concat());
    rustc(
        root,
        &[&["--crate-name", "lib_crate", "src/lib.rs"], &library[..]].concat(),
    );

    let mut modules = String::new();
    let mut unavailable = Vec::new();
    for function in items::functions(CRATE) {
        let name = function.name.clone();
        let of = TouchedFunction {
            path: "src/lib.rs".to_owned(),
            function,
        };
        match skeleton(root, &of) {
            Skeleton::Code(code) => {
                fs_err::write(root.join(format!("{name}.rs")), code).unwrap();
                modules.push_str(&format!("mod {name};\n"));
            }
            Skeleton::Unavailable(reason) => unavailable.push(format!("{name}: {reason}")),
        }
    }
    for name in [
        "count", "checksum", "parse", "helper", "rest", "skip", "push", "dive", "sort",
    ] {
        assert!(
            modules.contains(&format!("mod {name};")),
            "{name} of {modules}, {unavailable:?}"
        );
    }
    let expected = [
        "shaped: `S: super::Shape` needs a type that only you can choose",
        "later: it is async, and which runtime it needs is not known",
        "alone: it is private to its crate, and no public function that calls it was found",
    ];
    assert_eq!(unavailable, expected);
    // Each is a program of its own; as modules of one they are compiled at once.
    let all = format!("#![allow(dead_code)]\n{modules}fn main() {{}}\n");
    fs_err::write(root.join("all.rs"), all).unwrap();
    let externs = ["--extern", "criterion", "--extern", "lib_crate"];
    rustc(
        root,
        &[&["all.rs", "--emit", "metadata"], &externs[..]].concat(),
    );
    let helper = fs_err::read_to_string(root.join("helper.rs")).unwrap();
    assert!(
        helper.contains("`lib_crate::words::parse`, which calls `words::helper`"),
        "{helper}"
    );
}

#[test]
fn a_skeleton_reads_as_a_benchmark_that_somebody_has_begun() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("src")).unwrap();
    fs_err::write(
        folder.path().join("Cargo.toml"),
        "[package]\nname = \"shop\"\n",
    )
    .unwrap();
    let source = "pub struct Cart;\nimpl Cart { pub fn total(&self, rate: f64) -> f64 { rate } }\n";
    fs_err::write(folder.path().join("src/lib.rs"), source).unwrap();
    let function = items::functions(source).remove(0);
    let of = TouchedFunction {
        path: "src/lib.rs".to_owned(),
        function,
    };
    let Skeleton::Code(code) = skeleton(folder.path(), &of) else {
        panic!("it is public");
    };
    assert_eq!(
        code,
        r#"//! A benchmark of `shop::Cart::total`, to be completed.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Input as your users have it: put some in the place of each call.
fn realistic<T>(what: &str) -> T {
    todo!("{what}")
}

fn bench_total(c: &mut Criterion) {
    c.bench_function("Cart::total", |b| {
        b.iter_batched(
            || (realistic("self: Cart"), realistic("rate: f64"),),
            |(this, rate,)| {
                let _ = black_box(shop::Cart::total(black_box(&this), black_box(rate)));
            },
            BatchSize::SmallInput,
        )
    });
}

criterion_group!(benches, bench_total);
criterion_main!(benches);
"#
    );
}
