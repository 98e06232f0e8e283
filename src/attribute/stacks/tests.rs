//! Samples whose names and code are known.

use super::*;
use crate::units::Side;

/// Stacks of one side: paths from the outermost to the innermost function, separated by `/`, with
/// the number of samples. A function of the crate `shop` lies in the repository, one of `dep` in a
/// dependency whose version changed; a name may end in `@` and a line.
pub(crate) fn stacks(side: Side, paths: &[(&str, u64)]) -> Stacks {
    let version = match side {
        Side::Base => "1.0.0",
        Side::Head => "1.1.0",
    };
    let frame = |name: &str| {
        let (name, line) = name.split_once('@').unwrap_or((name, "1"));
        let file = match name.split("::").next() {
            Some("shop") => Some(format!("/run/{side}/src/lib.rs").into()),
            Some("dep") => {
                Some(format!("/h/.cargo/registry/src/i-1/dep-{version}/src/lib.rs").into())
            }
            _ => None,
        };
        Frame {
            function: name.to_owned(),
            line: file.is_some().then(|| line.parse().unwrap()),
            file,
        }
    };
    let stack = |(path, weight): &(&str, u64)| Stack {
        frames: path.split('/').rev().map(frame).collect(),
        weight: *weight,
    };
    let sampled = |path| Sampled {
        stack: stack(path),
        code: Sameness::Unknown,
    };
    Stacks {
        sampled: paths.iter().map(sampled).collect(),
    }
}

fn object(path: &str, start: u64, end: u64) -> LoadedObject {
    LoadedObject {
        path: path.into(),
        bias: start,
        start,
        end,
    }
}

#[test]
fn a_sample_that_interrupted_the_sampler_is_left_out() {
    let own = std::env::current_exe().unwrap();
    let profile = Profile {
        executable: own,
        clock: crate::seam::ProfileClock::AllThreads,
        raw: RawProfile {
            own_address: 0x9000_0010,
            main_thread: 1,
            objects: vec![
                object("", 0x1000_0000, 0x2000_0000),
                object("/tmp/probe.so", 0x9000_0000, 0x9001_0000),
                object("/nowhere/libm.so", 0xa000_0000, 0xa001_0000),
            ],
            named: vec![(0xa000_0100, "memcpy".to_owned())],
            stacks: vec![
                crate::seam::RawStack {
                    count: 5,
                    thread: 1,
                    addresses: vec![0x9000_0100, 0xa000_0200],
                },
                crate::seam::RawStack {
                    count: 7,
                    thread: 1,
                    addresses: vec![0xa000_0180],
                },
            ],
            ..RawProfile::default()
        },
    };
    let stacks = resolve(&profile, None).unwrap();
    assert_eq!(stacks.total(), 7);
    // A function without a symbol has the name that the loader was asked for.
    assert_eq!(stacks.sampled[0].stack.frames[0].function, "memcpy");
}

/// A sample in this test's own executable at each address, and one in a library with the given name.
fn profile(addresses: &[u64], library: &str) -> Profile {
    let mut raw = RawProfile {
        own_address: 0x9000_0010,
        objects: vec![
            object("", 0x1000_0000, 0x2000_0000),
            object("/tmp/probe.so", 0x9000_0000, 0x9001_0000),
            object(library, 0xa000_0000, 0xa001_0000),
        ],
        ..RawProfile::default()
    };
    raw.stacks = addresses
        .iter()
        .map(|address| crate::seam::RawStack {
            count: 1,
            thread: 1,
            addresses: vec![*address],
        })
        .collect();
    Profile {
        executable: std::env::current_exe().unwrap(),
        clock: crate::seam::ProfileClock::AllThreads,
        raw,
    }
}

fn sameness(address: u64, library: &str, there: &str) -> Sameness {
    let differing = Differing::new(
        vec![0x40..0x50, 0x80..0x90],
        vec!["/run/base-target".into()],
    );
    let against = Against {
        differing: &differing,
        profile: &profile(&[], there),
    };
    let found = resolve(&profile(&[address], library), Some(against)).unwrap();
    found.sampled[0].code
}

#[test]
fn code_is_the_same_unless_it_differs_or_nobody_knows() {
    // Addresses of the executable are those of the symbol table once its bias is taken off.
    let libc = "/lib/libc.so.6";
    assert_eq!(sameness(0x1000_003f, libc, libc), Sameness::Same);
    assert_eq!(sameness(0x1000_0040, libc, libc), Sameness::Differs);
    assert_eq!(sameness(0x1000_004f, libc, libc), Sameness::Differs);
    assert_eq!(sameness(0x1000_0050, libc, libc), Sameness::Same);
    assert_eq!(sameness(0xa000_0000, libc, libc), Sameness::Same);
    let other = "/toolchains/other/libstd.so";
    assert_eq!(sameness(0xa000_0000, libc, other), Sameness::Differs);
    let own = "/run/base-target/release/libown.so";
    assert_eq!(sameness(0xa000_0000, own, own), Sameness::Differs);
    // In no object that was loaded.
    assert_eq!(sameness(0xb000_0000, libc, libc), Sameness::Differs);
    let unknown = resolve(&profile(&[0x1000_0040], libc), None).unwrap();
    assert_eq!(unknown.sampled[0].code, Sameness::Unknown);
}
