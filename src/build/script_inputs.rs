//! The files of the checkout that build scripts read: a text file is more than documentation if a script makes code
//! from it.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::Build;
use crate::units::normal;

impl Build {
    /// Files and folders of the checkout that its build scripts may have read, as paths from the checkout's root:
    /// those that a script names (`rerun-if-changed`), and its whole package where it names none.
    ///
    /// # Errors
    /// The output of a script cannot be read.
    pub fn script_inputs(&self) -> io::Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        for script in &self.by_products.outputs {
            let root = script.package_root.as_deref();
            let Some(root) = root.filter(|root| root.starts_with(&self.checkout.root)) else {
                continue;
            };
            let printed = printed(&script.folder.with_file_name("output"))?;
            let mut named: Vec<PathBuf> = named(&printed).map(|path| root.join(path)).collect();
            if named.is_empty() {
                named.push(root.to_owned());
            }
            let named = named.iter().map(|path| normal(path));
            found.extend(named.filter_map(|path| {
                let inside = path.strip_prefix(&self.checkout.root);
                Some(inside.ok()?.to_owned())
            }));
        }
        Ok(found)
    }
}

/// The output of a script, which cargo stores in `file`; empty if cargo stores it elsewhere.
fn printed(file: &Path) -> io::Result<String> {
    match fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn named(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter_map(|line| {
        let line = line.trim();
        let told = line.strip_prefix("cargo::");
        let told = told.or_else(|| line.strip_prefix("cargo:"))?;
        told.strip_prefix("rerun-if-changed=")
    })
}

#[cfg(test)]
mod tests {
    use super::super::build_selected;
    use super::super::tests::{World, selection};
    use super::*;
    use crate::units::Side;

    #[test]
    fn a_script_may_have_read_what_it_names_and_its_whole_package_where_it_names_nothing() {
        let world = World::new();
        let naming = "fn main() {
            println!(\"cargo:rerun-if-changed=words.md\");
            println!(\"cargo::rerun-if-changed=./texts/../more\");
            println!(\"cargo:rerun-if-changed={}/notes\", std::env::var(\"CARGO_MANIFEST_DIR\").unwrap());
            println!(\"cargo:rerun-if-changed=/usr/include\");
        }";
        world.put(Side::Base, "build.rs", naming);
        let silent = "fn main() { println!(\"cargo:rustc-cfg=fast\"); }";
        world.put(Side::Head, "build.rs", silent);
        let checkouts = world.checkouts();
        let builds =
            build_selected(&checkouts, &selection(), None, &world.scratch, &|_| ()).unwrap();
        let read = builds.as_ref().map(|build| build.script_inputs().unwrap());
        let named = ["more", "notes", "words.md"].map(PathBuf::from);
        assert_eq!(read.base, BTreeSet::from(named));
        assert_eq!(read.head, BTreeSet::from([PathBuf::new()]));
    }
}
