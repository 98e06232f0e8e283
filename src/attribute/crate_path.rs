//! Where a source file stands in its crate.

use std::path::{Path, PathBuf};

/// A source file as a module of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CratePath {
    /// The crate's name as Rust code writes it.
    pub(super) name: String,
    /// The modules from the crate's root down to the file.
    pub(super) modules: Vec<String>,
    /// The folder of the package.
    pub(super) package: PathBuf,
    /// The crate's own file, from there.
    root_file: PathBuf,
    pub(super) kind: CrateKind,
}

/// What kind of crate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrateKind {
    /// A library, which benchmarks can use.
    Library,
    /// A program, which they cannot.
    Program,
}

impl CratePath {
    /// The crate's own file, from the package's folder.
    pub(super) fn root_file(&self) -> &Path {
        &self.root_file
    }

    /// Of the file at `path` below `root`, by the nearest manifest above it.
    pub(super) fn of(root: &Path, path: &str) -> Option<CratePath> {
        let file = root.join(path);
        let package = file
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(root))
            .find(|folder| folder.join("Cargo.toml").is_file())?
            .to_owned();
        let manifest = fs_err::read_to_string(package.join("Cargo.toml")).ok()?;
        let manifest: toml::Table = manifest.parse().ok()?;
        let word =
            |section: &str, key: &str| Some(manifest.get(section)?.get(key)?.as_str()?.to_owned());
        let root_file = word("lib", "path").unwrap_or_else(|| "src/lib.rs".to_owned());
        let own = file.strip_prefix(&package).ok()?;
        let is_program = own.starts_with("src/bin")
            || own == Path::new("src/main.rs")
            || !package.join(&root_file).is_file();
        let package_name = word("package", "name")?;
        let name = match is_program {
            true => package_name,
            false => word("lib", "name").unwrap_or(package_name),
        };
        let top = Path::new(&root_file).parent().unwrap_or(Path::new(""));
        let modules = match own == Path::new(&root_file) || is_program {
            true => Vec::new(),
            false => modules(own.strip_prefix(top).unwrap_or(own)),
        };
        Some(CratePath {
            name: name.replace('-', "_"),
            modules,
            kind: match is_program {
                true => CrateKind::Program,
                false => CrateKind::Library,
            },
            package,
            root_file: root_file.into(),
        })
    }
}

/// `a::b` of `a/b.rs` and of `a/b/mod.rs`.
fn modules(file: &Path) -> Vec<String> {
    let path = file.with_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    let mut parts: Vec<String> = parts.collect();
    parts.pop_if(|last| last == "mod");
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_module_of_the_nearest_package() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nmembers = ['a-b']\n");
        write("a-b/Cargo.toml", "[package]\nname = 'a-b'\n");
        write(
            "c/Cargo.toml",
            "[package]\nname = 'c'\n[lib]\nname = 'see'\npath = 'lib.rs'\n",
        );
        write("a-b/src/lib.rs", "");
        write("c/lib.rs", "");
        let of = |path: &str| {
            let found = CratePath::of(root.path(), path).unwrap();
            format!(
                "{} {} {:?}",
                found.name,
                found.modules.join("::"),
                found.kind
            )
        };
        assert_eq!(of("a-b/src/lib.rs"), "a_b  Library");
        assert_eq!(of("a-b/src/x/mod.rs"), "a_b x Library");
        assert_eq!(of("a-b/src/x/y.rs"), "a_b x::y Library");
        assert_eq!(of("a-b/src/main.rs"), "a_b  Program");
        assert_eq!(of("a-b/src/bin/tool.rs"), "a_b  Program");
        assert_eq!(of("c/lib.rs"), "see  Library");
        assert_eq!(of("c/deep.rs"), "see deep Library");
        assert_eq!(CratePath::of(root.path(), "loose.rs"), None);
    }
}
