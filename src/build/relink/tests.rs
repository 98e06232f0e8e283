use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::binary::{Binary, FunctionOrder};
use crate::build::build_selected;
use crate::build::tests::{World, only, output, selection};
use crate::units::{Paired, Side};

/// Functions that stay as they are beside one that grows.
fn library(body: &str) -> String {
    let others = (0..20).map(|number| {
        format!(
            "#[inline(never)]\npub fn other{number}(n: u64) -> u64 {{ (0..n).map(|i| i ^ {number}).sum() }}\n"
        )
    });
    let calls = (0..20).map(|number| format!(" + other{number}(n)"));
    format!(
        "{}#[inline(never)]\npub fn changed(n: u64) -> u64 {{ {body} }}\n\
         pub fn work(n: u64) -> u64 {{ outside::seed() + changed(n){} }}\n",
        others.collect::<String>(),
        calls.collect::<String>()
    )
}

/// Where each function of the sample lies, by its name.
fn places(path: &Path) -> BTreeMap<String, u64> {
    let places = Binary::look(path, |binary| {
        let symbols = binary.symbols().filter(|symbol| symbol.is_code);
        let named = symbols.filter_map(|symbol| {
            let name = rustc_demangle::demangle(symbol.name).to_string();
            let name = name.strip_prefix("demo::")?.split("::").next()?.to_owned();
            Some((name, symbol.address))
        });
        named.collect()
    });
    places.unwrap()
}

#[test]
fn a_benchmark_is_linked_as_cargo_did_it_and_with_unchanged_functions_at_one_place_of_a_page() {
    let world = World::new();
    world.put(Side::Base, "src/lib.rs", &library("n"));
    let grown = "(0..n).fold(n, |sum, i| sum.rotate_left(5) ^ i.wrapping_mul(sum | 7))";
    world.put(Side::Head, "src/lib.rs", &library(grown));
    let checkouts = world.checkouts();
    let built = build_selected(&checkouts, &selection(), None, &world.scratch, &|_| ());
    let built = built.unwrap();
    let made = built.as_ref().map(only);
    let links = made.map(|executable| executable.link.clone().unwrap());
    let out = Paired::from_fn(|side: Side| world.scratch.path().join(format!("out-{side}")));
    for side in Side::BOTH {
        let (link, out) = (links.get(side), out.get(side));
        link.verify(&made.get(side).path, &world.scratch, out)
            .unwrap();
    }
    let foreign = links
        .base
        .verify(&made.head.path, &world.scratch, &out.base);
    assert!(
        matches!(foreign, Err(RelinkError::Different)),
        "{foreign:?}"
    );

    let order = FunctionOrder::of(made.map(|executable| executable.path.as_path())).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..4 {
        let layouts = order.draw(&mut ChaCha8Rng::seed_from_u64(seed));
        let placed = Paired::from_fn(|side| {
            let (link, out) = (links.get(side), out.get(side));
            link.laid_out(&world.scratch, layouts.get(side), out)
                .unwrap();
            places(out)
        });
        for number in 0..20 {
            let name = format!("other{number}");
            let of = |side| placed.get(side)[&name] % 4096;
            assert_eq!(of(Side::Base), of(Side::Head), "{name}, seed {seed}");
        }
        seen.insert(placed.head["other0"] % 4096);
        let run = |side: Side| {
            let path = out.get(side).clone();
            let executable = (*made.get(side)).clone();
            output(&crate::build::Executable { path, ..executable })
        };
        assert_eq!(run(Side::Base), output(made.base));
        assert_eq!(run(Side::Head), output(made.head));
    }
    assert!(seen.len() > 1, "{seen:?}");
}

#[test]
fn linkers_that_cannot_order_functions_are_recognised_by_what_they_say() {
    // GNU ld 2.40, gold 1.16 and mold 1.10.1, as gcc 12 calls them.
    for said in [
        "/usr/bin/ld.bfd: unrecognized option '--symbol-ordering-file=/x'\n\
         /usr/bin/ld.bfd: use the --help option for usage information\n\
         collect2: error: ld returned 1 exit status\n",
        "/usr/bin/ld.gold: --symbol-ordering-file=/x: unknown option\n\
         /usr/bin/ld.gold: use the --help option for usage information\n\
         collect2: error: ld returned 1 exit status\n",
        "mold: fatal: unknown command line option: --symbol-ordering-file=/x\n\
         collect2: error: ld returned 1 exit status\n",
    ] {
        assert!(matches!(failure(said), RelinkError::NotLld), "{said}");
    }
    let said =
        failure("\nld.lld: error: no such file\ncollect2: error: ld returned 1 exit status\n");
    assert_eq!(
        said.to_string(),
        "its linker fails: ld.lld: error: no such file"
    );
    let said = failure("collect2: error: ld returned 1 exit status\n");
    assert!(said.to_string().contains("collect2"), "{said}");
}

#[test]
fn a_link_whose_code_is_ordered_or_lies_elsewhere_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(&temp.path().join("cache"), None).unwrap();
    let folder = temp.path().join("link");
    fs::create_dir_all(&folder).unwrap();
    let link = KeptLink {
        folder: folder.clone(),
    };
    let verified = |words: &str| {
        fs::write(folder.join("words"), words).unwrap();
        let out = temp.path().join("out");
        link.verify(&out, &scratch, &out).unwrap_err().to_string()
    };
    assert_eq!(
        verified("a.o\n-Wl,--symbol-ordering-file=own\n"),
        "the project orders its functions itself (`-Wl,--symbol-ordering-file=own`)"
    );
    assert_eq!(
        verified("a.o\n/x/libstd-1.so\n"),
        "it loads code from `libstd-1.so`"
    );
    let said = verified("a.o\n");
    assert!(said.contains("link/program` cannot be used"), "{said}");
}
