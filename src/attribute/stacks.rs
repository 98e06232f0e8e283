//! Samples with names: addresses become functions and lines.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

use crate::binary::{Binary, Frame, Symbol, Symbols};
use crate::flame::Stack;
use crate::harness::{is_of_harness, times_routine};
use crate::measure::Profile;
use crate::seam::{LoadedObject, ProfileClock, RawProfile};

use super::code::Differing;

/// A function of the C library without a symbol is no longer than this.
const LONGEST_UNNAMED: u64 = 4096;

/// Samples of one side, with names. The last frame of a stack is the harness's `Bencher::iter`, where
/// it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stacks {
    pub(super) sampled: Vec<Sampled>,
}

/// A sampled stack, and what is known about its code.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampled {
    pub(super) stack: Stack,
    pub(super) code: Sameness,
}

/// Whether the code of a whole stack, out to the loop that runs the routine, is the same on the other
/// side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sameness {
    /// It is.
    Same,
    /// At least one function differs.
    Differs,
    /// The executables could not be compared.
    Unknown,
}

impl Stacks {
    /// How many samples.
    pub(super) fn total(&self) -> u64 {
        self.plain().map(|stack| stack.weight).sum()
    }

    /// The stacks alone.
    pub(super) fn plain(&self) -> impl Iterator<Item = &Stack> {
        self.sampled.iter().map(|sampled| &sampled.stack)
    }
}

/// Names for the samples of one process. Leaves out samples that interrupted the sampler itself, and those of the
/// harness between two samples of the benchmark. `against` is what the code is compared with.
///
/// # Errors
/// Why the executable's symbols cannot be read, as a lower-case fragment.
pub(super) fn resolve(profile: &Profile, against: Option<Against<'_>>) -> Result<Stacks, String> {
    let mut resolver = Resolver::of(profile)?;
    let mut found: BTreeMap<(Vec<Frame>, Sameness), u64> = BTreeMap::new();
    for stack in &profile.raw.stacks {
        if let Some((frames, addresses)) = resolver.stack(&stack.addresses) {
            let code = resolver.sameness(&addresses, against);
            *found.entry((frames, code)).or_default() += stack.count;
        }
    }
    let sampled = found.into_iter().map(|((frames, code), weight)| Sampled {
        stack: Stack { frames, weight },
        code,
    });
    Ok(Stacks {
        sampled: sampled.collect(),
    })
}

/// What is known of the other side.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    /// The code of this side that differs from the other's.
    pub(super) differing: &'a Differing,
    /// What was sampled there.
    pub(super) profile: &'a Profile,
}

struct Resolver<'a> {
    raw: &'a RawProfile,
    clock: ProfileClock,
    /// The symbols of each object, in the order of the profile's.
    objects: Vec<Object>,
    known: HashMap<u64, Rc<Vec<Frame>>>,
}

enum Object {
    /// The executable: it has debug information.
    Executable(Box<Symbols>),
    /// A library: start, end and name of each function that it exports.
    Library(Vec<(u64, u64, String)>),
    /// The sampler.
    Sampler,
}

impl<'a> Resolver<'a> {
    fn of(profile: &'a Profile) -> Result<Resolver<'a>, String> {
        let raw = &profile.raw;
        let mut objects = Vec::new();
        for object in &raw.objects {
            objects.push(if holds(object, raw.own_address) {
                Object::Sampler
            } else if object.path.as_os_str().is_empty() {
                let symbols = Symbols::open(&profile.executable);
                Object::Executable(Box::new(symbols.map_err(|error| error.to_string())?))
            } else {
                Object::Library(exported(&object.path))
            });
        }
        Ok(Resolver {
            raw,
            clock: profile.clock,
            objects,
            known: HashMap::new(),
        })
    }

    /// The frames of a stack and their addresses; `None` if the stack does not belong to the routine.
    fn stack(&mut self, addresses: &[u64]) -> Option<(Vec<Frame>, Vec<u64>)> {
        let mut frames = Vec::new();
        let mut places = Vec::new();
        for (depth, &address) in addresses.iter().enumerate() {
            // A return address may be on another line, or in another function, than the call.
            let address = if depth == 0 { address } else { address - 1 };
            let found = self.frames(address)?;
            frames.extend(found.iter().cloned());
            places.push(address);
            if frames.last().is_some_and(is_harness) {
                break;
            }
        }
        // The function that runs the routine is one function in the sources, and several layers in the executable.
        match frames.iter().position(is_harness) {
            Some(first) => frames.truncate(first + 1),
            // The seam takes the last clock read of a sample for the beginning of one more region, so
            // the harness's own work between samples is sampled, too. Its stacks show it.
            None if self.clock == ProfileClock::MainThread => return None,
            None if frames.iter().any(|it| is_of_harness(&it.function)) => return None,
            None => {}
        }
        (!frames.is_empty()).then_some((frames, places))
    }

    fn sameness(&self, addresses: &[u64], against: Option<Against<'_>>) -> Sameness {
        match against {
            None => Sameness::Unknown,
            Some(against) if addresses.iter().any(|at| self.differs(*at, against)) => {
                Sameness::Differs
            }
            Some(_) => Sameness::Same,
        }
    }

    /// Whether the code at an address of the process is not, or may not be, the same on the other side.
    fn differs(&self, address: u64, against: Against<'_>) -> bool {
        let index = self.raw.objects.iter().position(|o| holds(o, address));
        match index.map(|index| (&self.raw.objects[index], &self.objects[index])) {
            Some((object, Object::Executable(_))) => {
                against.differing.has(address.wrapping_sub(object.bias))
            }
            Some((object, Object::Library(_))) => {
                let mut there = against.profile.raw.objects.iter();
                against.differing.has_library(&object.path)
                    || !there.any(|other| other.path == object.path)
            }
            Some((_, Object::Sampler)) | None => true,
        }
    }

    fn frames(&mut self, address: u64) -> Option<Rc<Vec<Frame>>> {
        if let Some(known) = self.known.get(&address) {
            return Some(Rc::clone(known));
        }
        let index = self.raw.objects.iter().position(|o| holds(o, address));
        let frames = match index.map(|index| (&self.raw.objects[index], &self.objects[index])) {
            Some((_, Object::Sampler)) => return None,
            Some((object, Object::Executable(symbols))) => {
                symbols.frames(address.wrapping_sub(object.bias))
            }
            Some((object, Object::Library(functions))) => {
                vec![self.library_frame(address, object, functions)]
            }
            None => vec![unknown("[unknown]")],
        };
        let frames = match frames.is_empty() {
            true => vec![unknown("[unknown]")],
            false => frames,
        };
        let frames = Rc::new(frames);
        self.known.insert(address, Rc::clone(&frames));
        Some(frames)
    }

    fn library_frame(
        &self,
        address: u64,
        object: &LoadedObject,
        functions: &[(u64, u64, String)],
    ) -> Frame {
        let own = address.wrapping_sub(object.bias);
        let before = functions.partition_point(|(start, ..)| *start <= own);
        let exported = before.checked_sub(1).map(|index| &functions[index]);
        let chosen = self.raw.named.iter().filter(|(start, _)| *start <= address);
        let chosen = chosen
            .max_by_key(|(start, _)| *start)
            .filter(|(start, _)| address - start < LONGEST_UNNAMED && holds(object, *start));
        match (exported, chosen) {
            (Some((_, end, name)), _) if own < *end => unknown(name),
            (_, Some((_, name))) => unknown(name),
            _ => {
                let name = object.path.file_name().unwrap_or_default();
                unknown(&format!("[{}]", name.to_string_lossy()))
            }
        }
    }
}

fn holds(object: &LoadedObject, address: u64) -> bool {
    (object.start..object.end).contains(&address)
}

/// A frame of which only the name is known.
pub(super) fn unknown(name: &str) -> Frame {
    Frame {
        function: name.to_owned(),
        file: None,
        line: None,
    }
}

/// Whether this is the function of a harness that runs the routine.
pub(super) fn is_harness(frame: &Frame) -> bool {
    times_routine(&frame.function)
}

/// The functions that a library exports, by address; none if it cannot be read. Its other functions
/// have no names: the nearest exported one before an address is most often not the right one.
fn exported(path: &Path) -> Vec<(u64, u64, String)> {
    let found = Binary::look(path, |file| {
        let symbols = file.symbols().chain(file.exported());
        let sized = symbols.filter(|symbol| symbol.size > 0);
        let function = |symbol: Symbol<'_>| {
            let name = rustc_demangle::demangle(symbol.name);
            let end = symbol.address + symbol.size;
            (symbol.address, end, format!("{name:#}"))
        };
        sized.map(function).collect()
    });
    let mut functions: Vec<(u64, u64, String)> = found.unwrap_or_default();
    functions.sort_unstable();
    functions.dedup_by_key(|(start, ..)| *start);
    functions
}

#[cfg(test)]
pub(super) mod tests;
