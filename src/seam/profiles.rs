//! CPU profiles of the timed regions of unmodified benchmarks.
//!
//! The seam with the library that samples (`probe/profile`). When a process has ended, the profile of each of its
//! benchmarks is in a file of its own. The processes of both sides may run at the same time.
//!
//! ```text
//! let seam = ProfileSeam::prepare(run_dir, executables)?;
//! // spawn `side` with seam.env(side), shake hands
//! seam.attached(side, pid)?;
//! // each benchmark: while the process is held (at the handshake, or at `Continue`)
//! let number = seam.begin(side, ProfileClock::MainThread)?;
//! // … MeasurementComplete; after the last one an orderly exit:
//! let profile = seam.take(side, number)?;
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::channel::Room;
use super::warm_up::{Enough, Pace, WarmUp};
use super::{PROFILE_PROBE, ProbeBuild, ProbedSubject, Seam, SeamError, Settings, layout};
use crate::units::{Paired, Side};

/// Samples per second. A prime, so that no loop runs in step with it.
const HERTZ: u64 = 997;

/// Which time the sampler's timer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileClock {
    /// The main thread is sampled, by wall-clock time.
    MainThread,
    /// All threads are sampled, by the processor time they use; the kernel's tick limits the rate.
    AllThreads,
    /// The main thread of a program that is no benchmark is sampled, by wall-clock time, from its start to its end.
    WholeProgram,
}

/// What the sampler saw of one benchmark in one process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawProfile {
    /// Ticks of the timer that fell into timed regions. Each gave a sample, unless another thread was
    /// just taking one.
    pub ticks_inside: u64,
    /// Ticks outside of timed regions, which gave no sample.
    pub ticks_outside: u64,
    /// An address in the sampler itself.
    pub own_address: u64,
    /// The main thread, as its stacks name it.
    pub main_thread: u64,
    /// Start addresses of functions without a symbol, which the loader chose among several.
    pub named: Vec<(u64, String)>,
    /// The objects that were loaded.
    pub objects: Vec<LoadedObject>,
    /// The samples.
    pub stacks: Vec<RawStack>,
}

/// An executable or library in the memory of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedObject {
    /// Its file; empty for the executable itself.
    pub path: PathBuf,
    /// The offset at which it was loaded.
    pub bias: u64,
    /// Its first address.
    pub start: u64,
    /// The address after its last one.
    pub end: u64,
}

/// Equal samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawStack {
    /// How many.
    pub count: u64,
    /// Of which thread.
    pub thread: u64,
    /// The instruction that was about to run, then the addresses to which calls would have returned.
    pub addresses: Vec<u64>,
}

/// The seam of the pass that takes profiles.
#[derive(Debug)]
pub struct ProfileSeam {
    seam: Seam,
    begun: AtomicU64,
}

/// Which of the profiles that were begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileNumber(u64);

impl RawProfile {
    /// Whether no other thread than the main one was sampled.
    #[must_use]
    pub fn is_of_main_thread(&self) -> bool {
        let mut stacks = self.stacks.iter();
        stacks.all(|stack| stack.thread == self.main_thread)
    }

    /// Adds what another process of the same executable showed, which may have been loaded elsewhere. Stacks through
    /// objects that this one did not load are left out.
    pub fn add(&mut self, other: RawProfile) {
        if self.objects.is_empty() {
            *self = other;
            return;
        }
        self.ticks_inside += other.ticks_inside;
        self.ticks_outside += other.ticks_outside;
        let here = |address: u64| {
            let holds = |object: &&LoadedObject| (object.start..object.end).contains(&address);
            let there = other.objects.iter().find(holds)?;
            let own = self.objects.iter().find(|own| own.path == there.path)?;
            Some(address.wrapping_sub(there.bias).wrapping_add(own.bias))
        };
        let stacks = other.stacks.iter().filter_map(|stack| {
            Some(RawStack {
                addresses: stack
                    .addresses
                    .iter()
                    .map(|at| here(*at))
                    .collect::<Option<_>>()?,
                ..*stack
            })
        });
        let stacks: Vec<RawStack> = stacks.collect();
        self.stacks.extend(stacks);
    }
}

impl ProfileSeam {
    /// Samples per second of time in timed regions, unless the kernel's tick sets a lower limit.
    pub const HERTZ: u64 = HERTZ;

    /// As [`Seam::prepare`].
    ///
    /// # Errors
    /// Where the probe cannot be preloaded: see [`SeamError`].
    pub fn prepare(run_dir: &Path, executables: Paired<&Path>) -> Result<ProfileSeam, SeamError> {
        ProfileSeam::of(run_dir, executables, ProbedSubject::Benchmarks)
    }

    /// The same for programs that are profiled as a whole.
    ///
    /// # Errors
    /// As [`ProfileSeam::prepare`].
    pub fn of_programs(
        run_dir: &Path,
        executables: Paired<&Path>,
    ) -> Result<ProfileSeam, SeamError> {
        ProfileSeam::of(run_dir, executables, ProbedSubject::Program)
    }

    fn of(
        run_dir: &Path,
        executables: Paired<&Path>,
        subject: ProbedSubject,
    ) -> Result<ProfileSeam, SeamError> {
        let kind = ProbeBuild {
            probe: PROFILE_PROBE,
            room: Room {
                record_words: layout::TIMING_WORDS,
                stacks: 0,
                statements: 0,
            },
            subject,
        };
        let (seam, _) = Seam::of_kind(run_dir, executables, &Settings::default(), kind)?;
        for side in Side::BOTH {
            let period = 1_000_000_000 / HERTZ;
            let channel = seam.channels.get(side);
            channel.set(layout::PROFILE_PERIOD_NS, period)?;
        }
        Ok(ProfileSeam {
            seam,
            begun: AtomicU64::new(0),
        })
    }

    /// As [`Seam::env`].
    #[must_use]
    pub fn env(&self, side: Side) -> Vec<(OsString, OsString)> {
        self.seam.env(side)
    }

    /// As [`Seam::attached`].
    ///
    /// # Errors
    /// If the shared file cannot be read.
    pub fn attached(&self, side: Side, pid: u32) -> Result<bool, SeamError> {
        self.seam.attached(side, pid)
    }

    /// Begins the profile of the next benchmark of `side`; its process has not run yet, or is held.
    ///
    /// # Errors
    /// If the files of the seam cannot be written.
    pub fn begin(&self, side: Side, clock: ProfileClock) -> Result<ProfileNumber, SeamError> {
        self.begin_in(side, clock, layout::MODE_OBSERVE)
    }

    fn begin_in(
        &self,
        side: Side,
        clock: ProfileClock,
        mode: u64,
    ) -> Result<ProfileNumber, SeamError> {
        let clock = match clock {
            ProfileClock::MainThread => layout::CLOCK_OF_MAIN_THREAD,
            ProfileClock::AllThreads => layout::CLOCK_OF_PROCESS,
            ProfileClock::WholeProgram => layout::CLOCK_OF_MAIN_THREAD,
        };
        let channel = self.seam.channels.get(side);
        channel.set(layout::PROFILE_CLOCK, clock)?;
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        self.seam.start_side(side, mode, number)?;
        Ok(ProfileNumber(number))
    }

    /// Begins the profile of a whole process of `side`, which has not been started.
    ///
    /// # Errors
    /// As [`ProfileSeam::begin`].
    pub fn begin_program(
        &self,
        side: Side,
        clock: ProfileClock,
    ) -> Result<ProfileNumber, SeamError> {
        let channel = self.seam.channels.get(side);
        channel.set(layout::PROFILE_FROM_START, 1)?;
        self.begin_in(side, clock, layout::MODE_OFF)
    }

    /// As [`Seam::bound`], for what [`ProfileSeam::begin`] has begun.
    ///
    /// # Errors
    /// If the shared file cannot be written.
    pub fn end_warm_up(
        &self,
        side: Side,
        warm_up: WarmUp,
        enough: Option<Enough>,
    ) -> Result<Pace, SeamError> {
        self.seam.bound(side, warm_up, enough)
    }

    /// A profile that was begun, once the process of `side` has ended, or stands still since it has run enough.
    ///
    /// # Errors
    /// [`SeamError::Profile`] if there is none, or the sampler says what went wrong.
    pub fn take(&self, side: Side, number: ProfileNumber) -> Result<RawProfile, SeamError> {
        let ProfileNumber(generation) = number;
        let name = format!("{}.{generation}.profile", side.name());
        let text = match fs_err::read_to_string(self.seam.folder.path().join(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let reason = "the process left none behind".to_owned();
                return Err(SeamError::Profile { reason });
            }
            Err(error) => return Err(error.into()),
        };
        parse(&text).map_err(|reason| SeamError::Profile { reason })
    }
}

/// The format is described in `probe/profile/src/dump.rs`.
fn parse(text: &str) -> Result<RawProfile, String> {
    let mut lines = text.lines();
    if lines.next() != Some("perfcheck-profile 1") {
        return Err("its file is no profile".to_owned());
    }
    let mut profile = RawProfile::default();
    for line in lines {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let known = match kind {
            "error" => return Err(rest.to_owned()),
            "ticks" => ticks(rest, &mut profile),
            "own" => hex(rest).map(|address| profile.own_address = address),
            "main" => hex(rest).map(|thread| profile.main_thread = thread),
            "module" => object(rest).map(|object| profile.objects.push(object)),
            "named" => named(rest).map(|name| profile.named.push(name)),
            "stack" => stack(rest).map(|stack| profile.stacks.push(stack)),
            _ => None,
        };
        known.ok_or_else(|| format!("its file has a line that is not understood: `{line}`"))?;
    }
    Ok(profile)
}

fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

fn ticks(fields: &str, profile: &mut RawProfile) -> Option<()> {
    let (inside, outside) = fields.split_once(' ')?;
    profile.ticks_inside = inside.parse().ok()?;
    profile.ticks_outside = outside.parse().ok()?;
    Some(())
}

fn named(fields: &str) -> Option<(u64, String)> {
    let (address, name) = fields.split_once(' ')?;
    Some((hex(address)?, name.to_owned()))
}

fn object(fields: &str) -> Option<LoadedObject> {
    let mut fields = fields.splitn(4, ' ');
    Some(LoadedObject {
        bias: hex(fields.next()?)?,
        start: hex(fields.next()?)?,
        end: hex(fields.next()?)?,
        path: PathBuf::from(fields.next()?),
    })
}

fn stack(fields: &str) -> Option<RawStack> {
    let mut fields = fields.split(' ');
    Some(RawStack {
        count: fields.next()?.parse().ok()?,
        thread: hex(fields.next()?)?,
        addresses: fields.map(hex).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_back_as_it_was_written() {
        let text = "perfcheck-profile 1\nticks 7 3\nown 5f0\nmain 1f\n\
                    module 0 1000 2000 \nmodule 500 500 900 /a b/libc.so\n\
                    stack 6 1f 1010 1800\nstack 1 1f 510\n";
        let profile = parse(text).unwrap();
        assert_eq!((profile.ticks_inside, profile.ticks_outside), (7, 3));
        assert_eq!(profile.own_address, 0x5f0);
        assert!(profile.is_of_main_thread());
        let elsewhere = text.replace("stack 1 1f", "stack 1 2f");
        assert!(!parse(&elsewhere).unwrap().is_of_main_thread());
        assert_eq!(profile.objects[0].path, PathBuf::new());
        assert_eq!(profile.objects[1].path, PathBuf::from("/a b/libc.so"));
        assert_eq!(profile.stacks[0].addresses, [0x1010, 0x1800]);
        assert_eq!(profile.stacks[0].count, 6);
    }

    #[test]
    fn what_another_process_shows_is_added_where_this_one_has_it() {
        let of = |at: u64| {
            let text = format!(
                "perfcheck-profile 1\nticks 2 1\nown 5f0\nmodule {at:x} {:x} {:x} \nstack 2 1f {:x}\n",
                at + 0x10,
                at + 0x100,
                at + 0x20
            );
            parse(&text).unwrap()
        };
        let mut whole = RawProfile::default();
        whole.add(of(0x1000));
        whole.add(of(0x9000));
        assert_eq!(whole.ticks_inside, 4);
        let addresses: Vec<u64> = whole
            .stacks
            .iter()
            .map(|stack| stack.addresses[0])
            .collect();
        assert_eq!(addresses, [0x1020, 0x1020]);
        let mut strange = of(0x1000);
        strange.stacks[0].addresses[0] = 0x5;
        whole.add(strange);
        assert_eq!(whole.stacks.len(), 2);
    }

    #[test]
    fn what_went_wrong_in_the_process_is_told() {
        let told = parse("perfcheck-profile 1\nerror the timer was refused\n");
        assert_eq!(told, Err("the timer was refused".to_owned()));
        assert!(parse("").is_err());
        assert!(parse("perfcheck-profile 1\nstack x\n").is_err());
    }
}
