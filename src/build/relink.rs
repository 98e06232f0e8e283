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

use super::Executable;
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
        "its linker is not found on the PATH as `cc`, `gcc` or `clang`, so the inputs of the link were not kept"
    )]
    NotKept,
    /// A part of it was linked before, and is not linked again.
    #[error("it loads code from `{library}`")]
    Dynamic {
        /// A library that was built with it.
        library: String,
    },
    /// The project decides on the order.
    #[error("the project orders its functions itself (`{word}`)")]
    Ordered {
        /// The linker's word for that.
        word: String,
    },
    /// An input of the link, or its output, cannot be used.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The linker is another one.
    #[error("its linker cannot order functions, which lld can")]
    NotLld,
    /// The linker refuses.
    #[error("its linker fails: {message}")]
    Linker {
        /// Its first line about that.
        message: String,
    },
    /// Something has changed since.
    #[error("linking it again gives another executable")]
    Different,
    /// The executable has no table of symbols.
    #[error("its symbols cannot be read")]
    NoSymbols,
    /// It depends on where its file or its code lies.
    #[error("`{benchmark}` fails in another layout")]
    Fails {
        /// The benchmark's id.
        benchmark: String,
    },
}

/// Where the links of a side are kept.
pub(super) fn links(target_dir: &Path) -> PathBuf {
    target_dir.join("perfcheck-links")
}

/// Removes the links of executables that are no more.
pub(super) fn sweep(tools: &Tools<'_>, executables: &[Executable]) {
    if executables.is_empty() {
        return;
    }
    let links = links(&tool::target_dir(tools.place(), tools.at.side));
    let entries = fs::read_dir(links).into_iter().flatten().flatten();
    for entry in entries {
        let is_of = |executable: &Executable| executable.path.with_file_name(entry.file_name());
        if !executables.iter().any(|one| is_of(one).exists()) {
            // It costs space and nothing else.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Words by which a project orders functions: its own order counts, and is a part of what is compared.
const OWN_ORDERS: [&str; 4] = [
    "symbol-ordering-file",
    "section-ordering-file",
    "call-graph-ordering-file",
    "shuffle-sections",
];

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
    /// Its code cannot be ordered, the linker fails, a file cannot be used, or the result differs.
    pub fn verify(
        &self,
        executable: &Path,
        scratch: &Scratch,
        out: &Path,
    ) -> Result<(), RelinkError> {
        let words = self.words()?;
        let words = words.iter().map(|word| word.to_string_lossy());
        for word in words {
            if OWN_ORDERS.iter().any(|order| word.contains(order)) {
                let word = word.into_owned();
                return Err(RelinkError::Ordered { word });
            }
            if let Some(library) = word.rsplit('/').next().filter(|name| name.ends_with(".so")) {
                let library = library.to_owned();
                return Err(RelinkError::Dynamic { library });
            }
        }
        self.link(scratch, out, &[])?;
        let read = |path: &Path| fs::read(path).map_err(unusable(path));
        match read(out)? == read(executable)? {
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
        let temporary = tempfile::tempdir_in(scratch.path()).map_err(unusable(scratch.path()))?;
        let file = |name: &str, text: String| {
            let path = temporary.path().join(name);
            fs::write(&path, text).map_err(unusable(&path))?;
            Ok(path)
        };
        let order = file("order", symbols_of(layout).join("\n"))?;
        let gaps = file("gaps.s", assembly_of(layout))?;
        let mut ordering = OsString::from("-Wl,--symbol-ordering-file=");
        ordering.push(order);
        let mut words = vec![gaps.into_os_string(), ordering];
        words.extend(["-Wl,--no-warn-symbol-ordering", "-Wl,-z,separate-code"].map(Into::into));
        // Nothing else refers to them.
        words.extend(GAPS.map(|gap| format!("-Wl,--undefined={gap}").into()));
        self.link(scratch, out, &words)
    }

    fn words(&self) -> Result<Vec<OsString>, RelinkError> {
        self.lines("words")
    }

    fn lines(&self, name: &str) -> Result<Vec<OsString>, RelinkError> {
        let path = self.folder.join(name);
        let text = fs::read(&path).map_err(unusable(&path))?;
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| OsString::from_vec(line.to_vec()));
        let mut lines: Vec<OsString> = lines.collect();
        // What follows the last newline.
        lines.pop();
        Ok(lines)
    }

    fn line(&self, name: &str) -> Result<OsString, RelinkError> {
        Ok(self.lines(name)?.into_iter().next().unwrap_or_default())
    }

    /// Links as rustc had it linked, with more words, to another file.
    fn link(&self, scratch: &Scratch, out: &Path, more: &[OsString]) -> Result<(), RelinkError> {
        let mut words = self.words()?;
        let output = words.iter().position(|word| word == "-o");
        if let Some(word) = output.and_then(|at| words.get_mut(at + 1)) {
            *word = out.as_os_str().to_owned();
        }
        let program = self.line("program")?;
        let mut command = process::command(&program);
        for line in self.lines("variables")? {
            if let Some((name, value)) = line.to_str().and_then(|line| line.split_once('=')) {
                command.env(name, value);
            }
        }
        command
            .args(words)
            .args(more)
            .env("LC_ALL", "C")
            // What a compiler driver leaves when it is ended goes with the run.
            .env("TMPDIR", scratch.path())
            .current_dir(self.line("folder")?)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let linked = scratch.spawn(&mut command);
        let linked = linked.and_then(process::Child::wait_with_output);
        let linked = linked.map_err(unusable(Path::new(&program)))?;
        match linked.status.success() {
            true => Ok(()),
            false => Err(failure(&String::from_utf8_lossy(&linked.stderr))),
        }
    }
}

fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> RelinkError {
    let path = path.to_owned();
    move |source| RelinkError::File { path, source }
}

/// What a linker's last words mean.
fn failure(said: &str) -> RelinkError {
    // Whatever words another linker has for it, it quotes the one that it does not know.
    if said.contains("symbol-ordering") {
        return RelinkError::NotLld;
    }
    let drivers = ["collect2:", "cc:", "gcc:", "clang:"];
    let mut lines = said.lines().filter(|line| !line.trim().is_empty());
    let own = lines
        .clone()
        .find(|line| !drivers.iter().any(|driver| line.starts_with(driver)));
    let line = own.or_else(|| lines.next()).unwrap_or("it says nothing");
    let message = line.trim().to_owned();
    RelinkError::Linker { message }
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
mod tests;
