use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use lz4_flex::frame::FrameEncoder;
use rustix::fs::Timespec;
use tar::{Builder, EntryType, Header};

use super::unpack::set_time;
use super::*;
use crate::units::Bytes;

const PLENTY: Bytes = Bytes::from_bytes(1_000_000_000);

/// A kept folder with something of every kind, and a place for its archive.
struct Ground {
    temp: tempfile::TempDir,
}

impl Ground {
    fn new() -> Ground {
        let ground = Ground {
            temp: tempfile::tempdir().unwrap(),
        };
        for (name, text) in [
            ("kept/base/src/lib.rs", "one"),
            ("kept/head/src/lib.rs", "two"),
            (
                "kept/target/base/release/deps/libdep.rlib",
                "the same on both sides",
            ),
            (
                "kept/target/head/release/deps/libdep.rlib",
                "the same on both sides",
            ),
            ("kept/base.json", "{}"),
            ("kept/lock", ""),
            ("kept/.cargo/config.toml", "token = \"secret\""),
        ] {
            ground.write(name, text);
        }
        fs::os::unix::fs::symlink("../elsewhere", ground.at("kept/head/link")).unwrap();
        fs::create_dir(ground.at("kept/head/empty")).unwrap();
        let script = ground.at("kept/base/run.sh");
        ground.write("kept/base/run.sh", "");
        fs::set_permissions(script, std::fs::Permissions::from_mode(0o555)).unwrap();
        fs::hard_link(
            ground.at("kept/target/base/release/deps/libdep.rlib"),
            ground.at("kept/target/base/release/libdep.rlib"),
        )
        .unwrap();
        let long = format!("kept/head/{}/{}.rs", "d".repeat(120), "f".repeat(120));
        ground.write(&long, "long");
        let old = Timespec {
            tv_sec: 1_700_000_000,
            tv_nsec: 123_456_789,
        };
        set_time(&ground.at("kept/base/src/lib.rs"), old).unwrap();
        set_time(&ground.at("kept/head/link"), old).unwrap();
        set_time(&ground.at("kept/head/empty"), old).unwrap();
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), text).unwrap();
    }

    fn pack(&self) {
        let packed = pack(&self.at("kept"), &self.at("trees.tar.lz4"), PLENTY);
        assert_eq!(packed.unwrap(), Packed::Stored);
    }

    fn unpack(&self) -> io::Result<()> {
        let into = self.at("unpacked");
        super::super::entries::remove_folder(&into)?;
        fs::create_dir(&into)?;
        unpack(&self.at("trees.tar.lz4"), &into)
    }

    /// An archive with these entries, which we would not have made.
    fn hostile(&self, entries: &[(&str, EntryType, &str)]) -> io::Error {
        let file = fs::File::create(self.at("trees.tar.lz4")).unwrap();
        let mut builder = Builder::new(FrameEncoder::new(file));
        for (name, kind, text) in entries {
            builder
                .append_pax_extensions([("mtime", b"1.000000000".as_slice())])
                .unwrap();
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            // `set_path` would refuse some of them.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            let content = if *kind == EntryType::Regular {
                *text
            } else {
                ""
            };
            if content.is_empty() {
                header.set_link_name(text).unwrap();
            }
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        let count = entries.len().to_string();
        let mut header = Header::new_gnu();
        header.set_size(count.len() as u64);
        builder
            .append_data(&mut header, END, count.as_bytes())
            .unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        self.unpack().unwrap_err()
    }
}

/// Every path below with its mode, time and content.
fn listing(folder: &Path) -> Vec<(PathBuf, u32, i64, i64, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let content = if meta.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            String::new()
        } else if meta.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else {
            fs::read_to_string(&path).unwrap()
        };
        let name = path.strip_prefix(folder).unwrap().to_owned();
        found.push((name, meta.mode(), meta.mtime(), meta.mtime_nsec(), content));
    }
    // The folder itself, and `target`, are not stored.
    found.retain(|(name, ..)| !["", "target"].iter().any(|not| name == Path::new(not)));
    found.sort();
    found
}

#[test]
fn what_is_unpacked_is_what_was_packed_to_the_nanosecond_and_without_configuration() {
    let ground = Ground::new();
    ground.pack();
    ground.unpack().unwrap();
    let mut packed = listing(&ground.at("kept"));
    packed.retain(|(name, ..)| !name.starts_with(".cargo") && name != Path::new("lock"));
    assert_eq!(listing(&ground.at("unpacked")), packed);
    assert!(
        packed
            .iter()
            .any(|(_, _, _, nanos, _)| *nanos == 123_456_789)
    );
    // Stored once, but files of their own.
    let of = |side: &str| {
        ground
            .at("unpacked/target")
            .join(side)
            .join("release/deps/libdep.rlib")
    };
    assert_ne!(
        fs::metadata(of("base")).unwrap().ino(),
        fs::metadata(of("head")).unwrap().ino()
    );
}

#[test]
fn one_archive_takes_the_place_of_another_or_leaves_it_as_it_was() {
    let ground = Ground::new();
    ground.pack();
    ground.write("kept/base/src/lib.rs", "three");
    // What a run that was killed left.
    ground.write("trees.tar.new", "half");
    ground.pack();
    ground.unpack().unwrap();
    let text = fs::read_to_string(ground.at("unpacked/base/src/lib.rs")).unwrap();
    assert_eq!(text, "three");
    assert!(!ground.at("trees.tar.new").exists());
    let bound = Bytes::from_bytes(100);
    let packed = pack(&ground.at("kept"), &ground.at("trees.tar.lz4"), bound);
    assert_eq!(packed.unwrap(), Packed::TooLarge);
    assert!(!ground.at("trees.tar.lz4").exists() && !ground.at("trees.tar.new").exists());
}

#[test]
fn a_damaged_archive_is_an_error_wherever_the_damage_is() {
    let ground = Ground::new();
    ground.write("kept/base/data", &"0123456789abcdef".repeat(10_000));
    ground.pack();
    let whole = fs::read(ground.at("trees.tar.lz4")).unwrap();
    for keep in [0, 3, whole.len() / 2, whole.len() - 20, whole.len() - 1] {
        fs::write(ground.at("trees.tar.lz4"), &whole[..keep]).unwrap();
        assert!(ground.unpack().is_err(), "{keep} of {}", whole.len());
    }
    for at in (8..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(ground.at("trees.tar.lz4"), bytes).unwrap();
        assert!(ground.unpack().is_err(), "byte {at} of {}", whole.len());
    }
    fs::write(ground.at("trees.tar.lz4"), whole).unwrap();
    ground.unpack().unwrap();
}

#[test]
fn a_hostile_archive_writes_nothing_elsewhere() {
    let ground = Ground::new();
    ground.write("outside/precious", "mine");
    let outside = ground.at("outside");
    let outside = outside.to_str().unwrap();
    let file = EntryType::Regular;
    for entries in [
        vec![("base/../../outside/precious", file, "theirs")],
        vec![("../outside/precious", file, "theirs")],
        vec![("/tmp/precious-of-somebody", file, "theirs")],
        vec![("lock", file, "theirs")],
        vec![
            ("base/link", EntryType::Symlink, outside),
            ("base/link/precious", file, "theirs"),
        ],
        vec![
            ("base/link", EntryType::Symlink, outside),
            ("base/link/x", EntryType::Symlink, "y"),
        ],
        vec![("base", EntryType::Symlink, outside)],
        vec![("target", EntryType::Symlink, outside)],
        vec![("target/base", EntryType::Symlink, outside)],
        vec![("base/hard", EntryType::Link, "/etc/passwd")],
        vec![("base/hard", EntryType::Link, "base/not-there")],
        vec![("base/a", file, "x"), ("base/a", file, "y")],
        vec![("base/pipe", EntryType::Fifo, "x")],
    ] {
        let error = ground.hostile(&entries);
        let listed = listing(&ground.at("outside"));
        assert_eq!(listed.len(), 1, "{entries:?}: {error}");
        assert_eq!(listed[0].4, "mine", "{entries:?}: {error}");
    }
}
