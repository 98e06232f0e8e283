//! The wrapper around rustc that keeps lints from ending a build.
//!
//! A source that compiled with the compiler of its day may fail with today's, only because of a lint: the source
//! denies warnings, or a lint has become an error since. Cargo caps the lints of dependencies for that reason; the
//! wrapper does it for the workspace's own crates, too. A cap changes neither code nor cargo's hashes. (A
//! *workspace* wrapper would change those.) The script lies at one path for both sides and for all runs that build
//! there, and is written once: cargo queries the compiler again when the script's time stamp changes.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::cargo_config;
use super::tool::{self, Ask, Tools};
use crate::units::EITHER_SIDE;

const SCRIPT: &str = include_str!("rustc_wrapper.sh");

/// Which wrapper of the user's own comes after this one.
const NEXT: &str = "PERFCHECK_RUSTC_WRAPPER";

/// The checkout, and the target folder, of crates that need the same names on both sides.
const CHECKOUT: &str = "PERFCHECK_CHECKOUT";
const TARGET: &str = "PERFCHECK_TARGET";

/// The folder with the linkers that benchmarks are linked with, and where those keep what was linked.
const LINKERS: &str = "PERFCHECK_LINKERS";
const LINKS: &str = "PERFCHECK_LINKS";

/// The names by which rustc and configurations ask for a linker that can be found on the `PATH`.
const LINKER_NAMES: [&str; 3] = ["cc", "gcc", "clang"];

const LINKER: &str = include_str!("linker.sh");

/// All scripts that take part in a build.
pub(super) const SCRIPTS: [&str; 2] = [SCRIPT, LINKER];

/// What executables contain in place of the checkout's path.
const EITHER: &str = "PERFCHECK_EITHER";

/// Who decides the names of the checkout's crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrateNames {
    /// Cargo, by their path within the workspace, which is the same on both sides.
    Cargo,
    /// The wrapper: some lie outside of the workspace, and cargo would use the side's own folder.
    Wrapper,
}

/// `ask` with the wrapper around rustc.
///
/// # Errors
/// Where the script cannot be written.
pub(super) fn around(ask: &Ask, tools: &Tools<'_>, names: CrateNames) -> io::Result<Ask> {
    if !cfg!(unix) {
        return Ok(ask.clone());
    }
    let set = env::var_os("RUSTC_WRAPPER").or(env::var_os("CARGO_BUILD_RUSTC_WRAPPER"));
    let next = configured(&tools.dir, set).unwrap_or_default();
    let ask = ask.clone().env("RUSTC_WRAPPER", script(tools.place())?);
    let ask = ask.env(NEXT, next);
    let side = tools.at.side;
    let checkout = tools.place().join(side.name());
    let target = tool::target_dir(tools.place(), side);
    let linkers = linkers(tools.place())?;
    let ask = ask.env(LINKERS, linkers);
    let ask = ask.env(LINKS, super::relink::links(&target));
    // The script writes them into expressions.
    if names == CrateNames::Cargo || !(is_plain(&checkout) && is_plain(&target)) {
        return Ok(ask.env(CHECKOUT, "").env(TARGET, ""));
    }
    let either = checkout.with_file_name(EITHER_SIDE);
    let ask = ask.env(CHECKOUT, checkout).env(TARGET, target);
    Ok(ask.env(EITHER, either))
}

fn is_plain(path: &Path) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@= ".contains(c);
    path.to_str().is_some_and(|path| path.chars().all(is_plain))
}

/// Writes the script where it is not there yet.
fn script(place: &Path) -> io::Result<PathBuf> {
    let path = place.join("rustc-wrapper");
    write_script(&path, SCRIPT)?;
    Ok(path)
}

/// Writes the linkers where they are not there yet, and gives their folder.
fn linkers(place: &Path) -> io::Result<PathBuf> {
    let folder = place.join("linkers");
    fs::create_dir_all(&folder)?;
    for name in LINKER_NAMES {
        write_script(&folder.join(name), LINKER)?;
    }
    Ok(folder)
}

fn write_script(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).ok().as_deref() == Some(text) {
        return Ok(());
    }
    // Written atomically, because an interrupted build may still use it for a moment.
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    #[cfg(unix)]
    fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::rename(&new, path)
}

/// The user's own wrapper that cargo, run in `folder`, would use: the one in a variable (`set`, perhaps to an empty
/// value), or else that of the configuration.
fn configured(folder: &Path, set: Option<OsString>) -> Option<OsString> {
    let wrapper = match set {
        Some(set) => cargo_config::program(folder, &set),
        None => cargo_config::files(folder).iter().find_map(|file| {
            let named = file.get(&["build", "rustc-wrapper"])?.as_str()?;
            Some(cargo_config::program(&file.anchor, &named.into()))
        })?,
    };
    (!wrapper.is_empty()).then_some(wrapper)
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::super::build_selected;
    use super::super::tests::{BENCH, World, only, output, selection};
    use super::*;

    /// Fails if the wrapper answers a probe differently from the compiler.
    const BUILD_SCRIPT: &str = r##"
        use std::env;
        use std::process::Command;

        fn main() {
            let source = env::var("OUT_DIR").unwrap() + "/probe.rs";
            std::fs::write(&source, "#![deny(warnings)] fn unused() {}").unwrap();
            let mut words = vec![env::var("RUSTC").unwrap()];
            words.extend(env::var("RUSTC_WRAPPER").ok());
            words.reverse();
            words.extend(["--crate-type=lib", "--emit=metadata", "--out-dir"].map(String::from));
            words.extend([env::var("OUT_DIR").unwrap(), source]);
            let accepted = Command::new(&words[0]).args(&words[1..]).status().unwrap();
            assert!(!accepted.success(), "the probe was given a cap on lints");
        }
    "##;

    /// Each is an error: the first by its attribute, the second by itself.
    const LIB: &str = "#![forbid(warnings)]\n\
        pub fn work(n: u64) -> u64 { let unused = 1; outside::seed() + n + u64::from(258_u8) }\n";

    #[test]
    fn lints_end_no_build_and_build_scripts_that_probe_the_compiler_see_it_as_it_is() {
        let world = World::new();
        world.put_both("src/lib.rs", LIB);
        world.put_both("build.rs", BUILD_SCRIPT);
        world.put_both(
            "benches/speed.rs",
            &format!("#![deny(unused)]\nuse std::fs;\n{BENCH}"),
        );
        let built = build_selected(
            &world.checkouts(),
            &selection(),
            None,
            &world.scratch,
            &|_| (),
        );
        let built = built.unwrap();
        assert_eq!(output(only(&built.base)), "45");
        assert_eq!(output(only(&built.head)), "45");
    }

    #[test]
    fn crates_get_a_cap_unless_they_have_one_and_the_user_s_wrapper_comes_next() {
        let temp = tempfile::tempdir().unwrap();
        let script = script(temp.path()).unwrap();
        fs::write(
            temp.path().join("capped"),
            "--edition=2021\n--cap-lints=allow\n",
        )
        .unwrap();
        let called = |next: &str, krate: &str, words: &[&str]| {
            let output = Command::new(&script)
                .args(words)
                .env(NEXT, next)
                .env("CARGO_CRATE_NAME", krate)
                .current_dir(temp.path())
                .output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        let said = called("", "demo", &["echo", "a b"]);
        assert_eq!(said, "a b --cap-lints=warn\n");
        let said = called("echo", "demo", &["rustc", "a"]);
        assert_eq!(said, "rustc a --cap-lints=warn\n");
        // Twice is an error.
        let said = called("", "demo", &["echo", "--cap-lints", "allow"]);
        assert_eq!(said, "--cap-lints allow\n");
        let said = called("", "demo", &["echo", "@capped"]);
        assert_eq!(said, "@capped\n");
        // A question of cargo's.
        assert_eq!(called("echo", "", &["rustc", "-vV"]), "rustc -vV\n");
    }

    #[test]
    fn benchmarks_are_linked_by_a_linker_of_the_same_name_that_keeps_what_was_linked() {
        let temp = tempfile::tempdir().unwrap();
        let script = script(temp.path()).unwrap();
        let linkers = linkers(temp.path()).unwrap();
        // A stand-in for the linker, and an object for it to link.
        let own = temp.path().join("own");
        fs::create_dir_all(own.join("rustcAbCdEf")).unwrap();
        write_script(&own.join("cc"), "#!/bin/sh\nprintf '%s|' \"$0\" \"$@\"\n").unwrap();
        let links = temp.path().join("links");
        let object = own.join("rustcAbCdEf/symbols.o");
        fs::write(&object, "object").unwrap();
        let path = format!("{}:/usr/bin:/bin", own.display());
        let linked = |words: &[&str], variables: &[(&str, &str)]| {
            let output = Command::new(&script)
                .args(["cc", "--crate-name", "demo"])
                .args(words)
                .args([object.as_os_str(), "-o".as_ref(), "deps/demo-1".as_ref()])
                .env("PATH", &path)
                .env("CARGO_CRATE_NAME", "demo")
                .env(LINKERS, &linkers)
                .env(LINKS, &links)
                .envs(variables.iter().copied())
                .current_dir(temp.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let kept = fs::read_to_string(links.join("demo-1/words")).ok();
            fs::remove_dir_all(&links).ok();
            (String::from_utf8(output.stdout).unwrap(), kept)
        };
        let (said, kept) = linked(&["--cfg", "test"], &[]);
        assert!(
            said.starts_with(&format!("{}|", own.join("cc").display())),
            "{said}"
        );
        let kept = kept.unwrap();
        let object_kept = links.join("demo-1/1-symbols.o");
        assert!(kept.contains(&*object_kept.to_string_lossy()), "{kept}");
        assert!(kept.contains("\n-o\ndeps/demo-1\n"), "{kept}");
        // A compiler cache looks for the next program of its own name.
        let next = "for folder in $(echo $PATH | tr : ' '); do\n\
            [ $folder = ${0%/*} ] || [ ! -x $folder/cc ] || exec $folder/cc \"$@\"\ndone\n";
        let cache = temp.path().join("cache");
        fs::create_dir_all(&cache).unwrap();
        write_script(&cache.join("cc"), &format!("#!/bin/sh\n{next}")).unwrap();
        let cached = format!("{}:{path}", cache.display());
        let (said, kept) = linked(&["--cfg", "test"], &[("PATH", &cached)]);
        assert!(
            said.starts_with(&format!("{}|", own.join("cc").display())),
            "{said}"
        );
        assert!(kept.is_some());
        // Libraries, build scripts and programs are linked as ever.
        assert_eq!(linked(&["--crate-type", "lib"], &[]).1, None);
        assert_eq!(linked(&["--crate-type", "proc-macro"], &[]).1, None);
        assert_eq!(linked(&[], &[("CARGO_BIN_NAME", "demo")]).1, None);
        // A link of which not everything could be kept is not kept.
        let precious = temp.path().join("precious");
        fs::create_dir_all(&precious).unwrap();
        let inherited = [("kept", precious.to_str().unwrap())];
        assert_eq!(linked(&["@words"], &inherited).1, None);
        assert!(precious.is_dir());
    }

    #[test]
    fn a_crate_has_the_same_name_wherever_its_side_and_its_folder_lie() {
        let temp = tempfile::tempdir().unwrap();
        let script = script(temp.path()).unwrap();
        let called = |side: &str, folder: &str, words: &[&str]| {
            let (checkout, target) = (
                temp.path().join(side),
                temp.path().join("target").join(side),
            );
            fs::create_dir_all(&target).unwrap();
            let output = Command::new(&script)
                .args(["echo", "--crate-name", "demo", "-C"])
                .args(words)
                .env(NEXT, "")
                .env("CARGO_CRATE_NAME", "demo")
                .env("CARGO_MANIFEST_DIR", checkout.join(folder))
                .env(CHECKOUT, &checkout)
                .env(TARGET, &target)
                .env(EITHER, temp.path().join("side"))
                .output();
            let said = String::from_utf8(output.unwrap().stdout).unwrap();
            let name = said
                .split(' ')
                .find_map(|word| word.strip_prefix("metadata="));
            name.unwrap_or_default().trim().to_owned()
        };
        let outer = |side, folder: &str, hash: &str| {
            let source = temp.path().join(side).join(folder).join("src/lib.rs");
            let hash = [
                format!("metadata={hash}"),
                format!("extra-filename=-{hash}"),
            ];
            called(
                side,
                folder,
                &[&hash[0], &hash[1], &source.to_string_lossy()],
            )
        };
        let name = outer("base", "outer", "0123456789abcdef");
        assert_eq!(outer("head", "moved/outer", "fedcba9876543210"), name);
        let user = |side, hash: &str, feature: &str| {
            let library = temp.path().join("target").join(side);
            let library = library.join(format!("libouter-{hash}.rlib"));
            let library = format!("outer={}", library.display());
            called(
                side,
                "",
                &["metadata=a", "extra-filename=-b", &library, feature],
            )
        };
        let one = user("base", "0123456789abcdef", "x");
        assert_eq!(user("head", "fedcba9876543210", "x"), one);
        assert_ne!(user("head", "fedcba9876543210", "y"), one);
        assert_ne!(one, name);
        // A crate from a registry: cargo's own name for it is the same on both sides.
        let foreign = called(
            "base",
            "/registry/other",
            &["metadata=a", "extra-filename=-b"],
        );
        assert_eq!(foreign, "a");
    }

    #[test]
    fn the_user_s_wrapper_is_the_one_that_cargo_would_use() {
        let temp = tempfile::tempdir().unwrap();
        let member = temp.path().join("crates/member");
        let own = |set: Option<&str>| configured(&member, set.map(OsString::from));
        fs::create_dir_all(temp.path().join(".cargo")).unwrap();
        let config = temp.path().join(".cargo/config.toml");
        fs::write(&config, "[build]\nrustc-wrapper = \"tools/wrap\"").unwrap();
        let inside = temp.path().join("tools/wrap").into_os_string();
        assert_eq!(own(None), Some(inside));
        assert_eq!(own(Some("sccache")), Some("sccache".into()));
        assert_eq!(own(Some("")), None);
        fs::write(&config, "[build]\nrustc-wrapper = \"sccache\"").unwrap();
        assert_eq!(own(None), Some("sccache".into()));
    }

    #[test]
    fn the_script_is_written_once() {
        let temp = tempfile::tempdir().unwrap();
        let written = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let first = written(script(temp.path()).unwrap());
        assert_eq!(written(script(temp.path()).unwrap()), first);
    }
}
