//! Call stacks, from addresses to functions and lines of the source.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::binary::{Frame, Symbols};
use crate::harness::times_routine;
use crate::seam::{AddressStack, AddressStacks, CodeAddress};
use crate::units::on_side;

/// Where a benchmark asks for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// Each call stack that was seen.
    pub stacks: Vec<TracedStack>,
    /// One in this many requests was recorded, on average: 1 means every request.
    pub stride: u64,
    /// Requests that were selected but not recorded, because the table was full.
    pub lost: u64,
}

/// A call stack that asked for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedStack {
    /// The calls with those that were inlined, the innermost first, up to the benchmark's routine.
    pub places: Vec<Place>,
    /// How many of the selected requests came from it.
    pub requests: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// Bytes that they asked for and that were never freed; only known of whole programs.
    pub left_behind: u64,
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The function, demangled.
    pub function: String,
    /// Whose code it is.
    pub origin: CodeOwner,
    /// The file: of the workspace, relative to the repository's root; of a dependency, from its name and version on.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The text of that line of the workspace, without its indentation: it identifies the place in
    /// another revision, where the line number differs.
    pub text: Option<String>,
}

/// Whose code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeOwner {
    /// The workspace's own.
    #[default]
    Workspace,
    /// A dependency's.
    Dependency,
    /// Rust's own libraries'.
    Standard,
    /// Not known.
    Unknown,
}

impl Place {
    /// `path:line`, where known.
    #[must_use]
    pub fn location(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(match self.line {
            Some(line) => format!("{file}:{line}"),
            None => file.clone(),
        })
    }
}

/// Where the sources of one side lie.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The root of the repository's copy: places are relative to it.
    pub root: &'a Path,
    /// The folder that the compiler was run in: relative paths in executables start there.
    pub workspace: &'a Path,
}

/// Looks places up, each only once.
pub(crate) struct Atlas<'a> {
    sources_at: Sources<'a>,
    objects: HashMap<PathBuf, Option<Symbols>>,
    places: HashMap<CodeAddress, Vec<Place>>,
    sources: HashMap<PathBuf, Vec<String>>,
}

impl<'a> Atlas<'a> {
    /// For executables that were built from these sources.
    pub(crate) fn new(sources: Sources<'a>) -> Atlas<'a> {
        Atlas {
            sources_at: sources,
            objects: HashMap::new(),
            places: HashMap::new(),
            sources: HashMap::new(),
        }
    }

    pub(crate) fn trace(&mut self, stacks: AddressStacks, stride: u64) -> Traced {
        let traced = stacks.stacks.iter().map(|stack| self.stack(stack));
        Traced {
            stacks: traced.collect(),
            stride,
            lost: stacks.lost,
        }
    }

    /// The functions and lines of one stack.
    pub(crate) fn stack(&mut self, stack: &AddressStack) -> TracedStack {
        let mut places: Vec<Place> = Vec::new();
        for call in &stack.calls {
            places.extend(self.places(call));
        }
        // The walk ends at the function that times the benchmark. That function, and functions inlined around it,
        // are not part of the stack.
        let mut functions = places.iter().map(|place| &place.function);
        if let Some(timing) = functions.position(|function| times_routine(function)) {
            places.truncate(timing);
        }
        TracedStack {
            places,
            requests: stack.requests,
            bytes: stack.bytes,
            left_behind: stack.left_behind,
        }
    }

    fn places(&mut self, call: &CodeAddress) -> Vec<Place> {
        if let Some(known) = self.places.get(call) {
            return known.clone();
        }
        let symbols = self
            .objects
            .entry(call.object.clone())
            .or_insert_with(|| Symbols::open(&call.object).ok());
        let frames = symbols
            .as_ref()
            .map_or_else(Vec::new, |symbols| symbols.frames(call.address));
        let places: Vec<Place> = if frames.is_empty() {
            vec![unnamed(call)]
        } else {
            frames.into_iter().map(|frame| self.place(frame)).collect()
        };
        self.places.insert(call.clone(), places.clone());
        places
    }

    fn place(&mut self, frame: Frame) -> Place {
        let Sources { root, workspace } = self.sources_at;
        let path = frame.file.map(|file| on_side(&workspace.join(file), root));
        let (origin, file) = match &path {
            None => (CodeOwner::Unknown, None),
            Some(file) => match file.strip_prefix(self.sources_at.root) {
                Ok(relative) => (CodeOwner::Workspace, Some(relative.display().to_string())),
                Err(_) => outside(file),
            },
        };
        let text = match (&path, frame.line, origin) {
            (Some(file), Some(line), CodeOwner::Workspace) => self.line(file, line),
            _ => None,
        };
        Place {
            function: frame.function,
            origin,
            file,
            line: frame.line,
            text,
        }
    }

    fn line(&mut self, file: &Path, line: u32) -> Option<String> {
        let lines = self.sources.entry(file.to_owned()).or_insert_with(|| {
            let text = fs_err::read_to_string(file).unwrap_or_default();
            text.lines().map(|line| line.trim().to_owned()).collect()
        });
        lines
            .get(usize::try_from(line).ok()?.checked_sub(1)?)
            .cloned()
    }
}

/// A call of which only the file is known.
fn unnamed(call: &CodeAddress) -> Place {
    let name = call.object.file_name().unwrap_or_default();
    Place {
        function: format!("{}+{:#x}", name.to_string_lossy(), call.address),
        origin: CodeOwner::Unknown,
        file: None,
        line: None,
        text: None,
    }
}

/// The owner of a file outside the workspace, and the part of its path that is the same on other machines: Rust's
/// libraries are compiled as `/rustc/<hash>/library/…`, and cargo unpacks dependencies to
/// `…/registry/src/<index>/<name>-<version>/…` and `…/git/checkouts/<name>/<revision>/…`.
fn outside(file: &Path) -> (CodeOwner, Option<String>) {
    let path = file.to_string_lossy().replace('\\', "/");
    if let Some((_, rest)) = path
        .strip_prefix("/rustc/")
        .and_then(|rest| rest.split_once('/'))
    {
        return (CodeOwner::Standard, Some(rest.to_owned()));
    }
    if let Some((_, rest)) = path.split_once("/rustlib/src/rust/") {
        return (CodeOwner::Standard, Some(rest.to_owned()));
    }
    for folder in ["/registry/src/", "/git/checkouts/"] {
        if let Some((_, rest)) = path
            .split_once(folder)
            .and_then(|(_, rest)| rest.split_once('/'))
        {
            return (CodeOwner::Dependency, Some(rest.to_owned()));
        }
    }
    (CodeOwner::Unknown, Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_where_they_mean_something_on_another_machine() {
        for (path, origin, shown) in [
            (
                "/rustc/59807616e1fa/library/alloc/src/vec/mod.rs",
                CodeOwner::Standard,
                "library/alloc/src/vec/mod.rs",
            ),
            (
                "/home/me/.cargo/registry/src/index.crates.io-1949/itoa-1.0.18/src/lib.rs",
                CodeOwner::Dependency,
                "itoa-1.0.18/src/lib.rs",
            ),
            (
                "/home/me/.cargo/git/checkouts/itoa-5d2/0f3a/src/lib.rs",
                CodeOwner::Dependency,
                "0f3a/src/lib.rs",
            ),
            ("/usr/src/a.c", CodeOwner::Unknown, "/usr/src/a.c"),
        ] {
            let expected = (origin, Some(shown.to_owned()));
            assert_eq!(outside(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_line_of_the_workspace_is_known_by_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("src/lib.rs");
        fs_err::create_dir_all(folder.path().join("src")).unwrap();
        fs_err::write(&file, "fn a() {\n    vec![1];\n}\n").unwrap();
        let mut atlas = Atlas::new(Sources {
            root: folder.path(),
            workspace: folder.path(),
        });
        let place = atlas.place(Frame {
            function: "a".to_owned(),
            file: Some(file),
            line: Some(2),
        });
        assert_eq!(place.origin, CodeOwner::Workspace);
        assert_eq!(place.location().unwrap(), "src/lib.rs:2");
        assert_eq!(place.text.unwrap(), "vec![1];");
    }
}
