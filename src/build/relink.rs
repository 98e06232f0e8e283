//! Linking a benchmark again, without compiling: the same code with its functions in another order.
//!
//! The build keeps what each benchmark was linked from (`linker.sh`). Linking that again must first give the very
//! executable that cargo made; only then does another order of its functions say something about it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use fs_err as fs;

use crate::binary::CodeLayout;
use crate::process;
use crate::scratch::Scratch;

use super::tool::{self, Tools};

/// What a benchmark was linked from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLink {
    /// Where the linker's words and the compiler's own files are.
    folder: PathBuf,
}

/// Why a benchmark cannot be linked again.
#[derive(Debug, thiserror::Error)]
pub enum RelinkError {
    /// The build kept nothing.
    #[error(
        "what it was linked from was not kept: an earlier version built it (`cargo perfcheck clean`), or its linker is \
         named by a path, or is none of `cc`, `gcc` and `clang`"
    )]
    NotKept,
    /// A file of the link cannot be used.
    #[error("what it was linked from cannot be used")]
    Io(#[from] std::io::Error),
    /// The linker says no.
    #[error("its linker cannot do it: {message}")]
    Linker {
        /// Its last line.
        message: String,
    },
    /// Something has changed since.
    #[error("linking it again gives another executable")]
    Different,
}

/// Where the links of a side are kept.
pub(super) fn links(target_dir: &Path) -> PathBuf {
    target_dir.join("perfcheck-links")
}

impl KeptLink {
    /// What an executable of this side was linked from.
    pub(super) fn of(tools: &Tools<'_>, executable: &Path) -> Option<KeptLink> {
        let target_dir = tool::target_dir(tools.place(), tools.at.side);
        let folder = links(&target_dir).join(executable.file_name()?);
        folder
            .join("words")
            .is_file()
            .then_some(KeptLink { folder })
    }

    /// Links once more and compares with the executable that cargo made.
    ///
    /// # Errors
    /// The linker fails, a file cannot be used, or the result differs.
    pub fn verify(
        &self,
        executable: &Path,
        scratch: &Scratch,
        out: &Path,
    ) -> Result<(), RelinkError> {
        self.link(scratch, out, &[])?;
        match fs::read(out)? == fs::read(executable)? {
            true => Ok(()),
            false => Err(RelinkError::Different),
        }
    }

    /// Links with this layout of the code, which begins at a page.
    ///
    /// # Errors
    /// The linker fails, or does not know how to, or a file cannot be used.
    pub(crate) fn laid_out(
        &self,
        scratch: &Scratch,
        layout: &CodeLayout<'_>,
        out: &Path,
    ) -> Result<(), RelinkError> {
        let (order, gaps) = (out.with_extension("order"), out.with_extension("s"));
        fs::write(&order, symbols_of(layout).join("\n"))?;
        fs::write(&gaps, assembly_of(layout))?;
        let mut ordering = OsString::from("-Wl,--symbol-ordering-file=");
        ordering.push(order);
        let mut words = vec![gaps.into_os_string(), ordering];
        // Nothing else refers to them.
        words.extend(GAPS.map(|gap| format!("-Wl,--undefined={gap}").into()));
        // Nobody reads lines of source here, and linking takes half the time without them.
        words.extend(
            [
                "--no-warn-symbol-ordering",
                "-z,separate-code",
                "--strip-debug",
            ]
            .map(|word| format!("-Wl,{word}").into()),
        );
        self.link(scratch, out, &words)
    }

    fn link(&self, scratch: &Scratch, out: &Path, more: &[OsString]) -> Result<(), RelinkError> {
        let lines = |name: &str| -> std::io::Result<Vec<OsString>> {
            let text = fs::read(self.folder.join(name))?;
            let text = text.strip_suffix(b"\n").unwrap_or(&text);
            let lines = text.split(|byte| *byte == b'\n');
            Ok(lines
                .map(|line| OsString::from_vec(line.to_vec()))
                .collect())
        };
        let first = |name: &str| Ok::<_, std::io::Error>(lines(name)?.swap_remove(0));
        let mut words = lines("words")?;
        let output = words.iter().position(|word| word == "-o");
        if let Some(word) = output.and_then(|at| words.get_mut(at + 1)) {
            *word = out.as_os_str().to_owned();
        }
        let mut command = process::command(first("program")?);
        command
            .args(words)
            .args(more)
            .env("LC_ALL", "C")
            .current_dir(first("folder")?)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let output = scratch.spawn(&mut command)?.wait_with_output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let mut lines = said.lines().filter(|line| line.contains("error"));
        let line = lines.next().or_else(|| said.lines().last());
        Err(RelinkError::Linker {
            message: line.unwrap_or("it says nothing").trim().to_owned(),
        })
    }
}

/// The symbols of what lies between functions: a gap before what differs, the page where the rest begins, and two gaps.
const GAPS: [&str; 4] = [
    "perfcheck_first_gap",
    "perfcheck_page",
    "perfcheck_second_gap",
    "perfcheck_third_gap",
];

/// All symbols that are ordered.
fn symbols_of<'a>(layout: &CodeLayout<'a>) -> Vec<&'a str> {
    let [first, page, second, third] = GAPS;
    let mut symbols = vec![first];
    symbols.extend(&layout.differing);
    symbols.extend([page, second]);
    symbols.extend(&layout.shared);
    symbols.push(third);
    symbols
}

/// The gaps as a source of the assembler, in words that each one knows.
fn assembly_of(layout: &CodeLayout<'_>) -> String {
    let lengths = [layout.first_gap, 16, layout.second_gap, layout.third_gap];
    let gap = |(name, length): (&str, u64)| {
        let alignment = if name == GAPS[1] { 12 } else { 0 };
        format!(
            ".section .text.{name},\"ax\",%progbits\n.p2align {alignment}\n.globl {name}\n{name}:\n.space {}\n",
            length.max(1)
        )
    };
    let gaps = GAPS.into_iter().zip(lengths).map(gap);
    gaps.collect::<String>() + ".section .note.GNU-stack,\"\",%progbits\n"
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod tests {
    use std::collections::BTreeMap;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::super::build_selected;
    use super::super::tests::{World, only, output, selection};
    use super::*;
    use crate::binary::{Binary, FunctionOrder};
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
    fn the_reason_why_a_link_cannot_be_used_is_said() {
        let temp = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(&temp.path().join("cache"), None).unwrap();
        let folder = temp.path().join("link");
        fs::create_dir_all(&folder).unwrap();
        let keep = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        keep("program", "/bin/sh\n");
        keep("folder", "/\n");
        keep(
            "words",
            "-c\necho error: unknown argument >&2; exit 1\n-o\nout\n",
        );
        let link = KeptLink {
            folder: folder.clone(),
        };
        let said = link
            .link(&scratch, &temp.path().join("out"), &[])
            .unwrap_err();
        assert_eq!(
            said.to_string(),
            "its linker cannot do it: error: unknown argument"
        );
        fs::remove_file(folder.join("words")).unwrap();
        let said = link.link(&scratch, &temp.path().join("out"), &[]);
        assert!(matches!(said, Err(RelinkError::Io(_))), "{said:?}");
    }
}
