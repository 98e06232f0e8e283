//! Decides, once, before `main`, whether this process is a benchmark of a run; and if it is,
//! removes every trace of us from its environment, so that its children do not see it.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::null_mut;

use crate::layout;
use crate::pass;
use crate::shared::Shared;
use crate::sys;

/// The kernel's limit for a path.
const PATH_MAX: usize = 4096;

/// Each build has its own variable: a process may have both the marking probe and the clock probe.
#[cfg(not(feature = "marks"))]
const VARIABLE: &CStr = c"PERFCHECK_PROBE";
#[cfg(feature = "marks")]
const VARIABLE: &CStr = c"PERFCHECK_MARKS";
const PRELOAD: &CStr = c"LD_PRELOAD";

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    pass::start();
    // SAFETY: the loader calls constructors on the only thread there is, before `main`.
    unsafe {
        let _ = attach();
    }
}

/// `None` if this is not a benchmark of a run, or something is not as expected.
///
/// # Safety
/// The process has one thread.
unsafe fn attach() -> Option<()> {
    // SAFETY: NUL-terminated names; the environment does not change meanwhile.
    unsafe {
        let value = sys::getenv(VARIABLE.as_ptr());
        if value.is_null() {
            return None;
        }
        let (host, side) = split(CStr::from_ptr(value))?;
        if sys::getppid() != host {
            return None;
        }
        let shared = map(&Path::of(&[side, b".shared"])?)?;
        if !is_this_executable(&shared) {
            return None;
        }
        // The run must not leave a benchmark behind. The parent may have died just before.
        sys::prctl(sys::PR_SET_PDEATHSIG, sys::SIGKILL);
        if sys::getppid() != host {
            sys::abort();
        }
        forget_environment();
        pass::attach(shared, side, load_address())?;
        shared.set(layout::ATTACHED_PID, sys::getpid() as u64);
        Some(())
    }
}

/// A path in a buffer of its own.
pub(crate) struct Path {
    bytes: [u8; PATH_MAX],
}

impl Path {
    /// The concatenated parts, with a NUL at the end.
    pub(crate) fn of(parts: &[&[u8]]) -> Option<Path> {
        let mut bytes = [0; PATH_MAX];
        let mut length = 0;
        for part in parts {
            let end = length + part.len();
            if end >= PATH_MAX {
                return None;
            }
            bytes[length..end].copy_from_slice(part);
            length = end;
        }
        Some(Path { bytes })
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

/// `<pid>:<folder>/<side>` in its two parts.
fn split(value: &CStr) -> Option<(c_int, &[u8])> {
    let bytes = value.to_bytes();
    let colon = bytes.iter().position(|&b| b == b':')?;
    let mut pid: c_int = 0;
    for digit in &bytes[..colon] {
        let digit = c_int::from(digit.checked_sub(b'0').filter(|d| *d < 10)?);
        pid = pid.checked_mul(10)?.checked_add(digit)?;
    }
    Some((pid, &bytes[colon + 1..]))
}

/// Maps the shared file, all of it present from the start: reading it never waits for a page. The first write
/// to a page may still ask the file system; the log is written outside of timed regions.
fn map(path: &Path) -> Option<Shared> {
    // SAFETY: a NUL-terminated path; buffers as long as said; the mapping is checked.
    unsafe {
        let fd = sys::open(path.as_ptr(), sys::O_RDWR | sys::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let mut header = [0_u64; layout::HEADER_WORDS];
        let bytes = size_of_val(&header);
        let got = sys::pread(fd, header.as_mut_ptr().cast(), bytes, 0);
        let ours = got == bytes as isize && header[layout::MAGIC_WORD] == layout::MAGIC;
        let at = if ours {
            sys::mmap(
                null_mut(),
                header[layout::FILE_BYTES] as usize,
                sys::PROT_READ | sys::PROT_WRITE,
                sys::MAP_SHARED | sys::MAP_POPULATE,
                fd,
                0,
            )
        } else {
            sys::MAP_FAILED
        };
        sys::close(fd);
        (at != sys::MAP_FAILED).then(|| Shared::new(at.cast()))
    }
}

/// A wrapper between the host and the benchmark (`taskset`, `setarch`) must not count as the benchmark.
fn is_this_executable(shared: &Shared) -> bool {
    let mut own = [0_u8; PATH_MAX];
    // SAFETY: a NUL-terminated path and a buffer as long as said.
    let length = unsafe {
        sys::readlink(
            c"/proc/self/exe".as_ptr(),
            own.as_mut_ptr().cast(),
            PATH_MAX - 1,
        )
    };
    length > 0 && own[..=length as usize] == shared.path()[..=length as usize]
}

/// Where the executable is loaded.
fn load_address() -> usize {
    let mut bias = 0_usize;
    // SAFETY: the callback gets the pointer it expects.
    unsafe { sys::dl_iterate_phdr(first_object, (&raw mut bias).cast()) };
    bias
}

/// The first object is the executable.
extern "C" fn first_object(info: *const sys::DlPhdrInfo, _: usize, bias: *mut c_void) -> c_int {
    // SAFETY: both pointers are valid during the call, as the loader and `load_address` promise.
    unsafe { *bias.cast::<usize>() = (*info).address };
    1
}

/// Removes our variable, and a path from the front of the list of preloaded libraries (the loader has
/// done its work). Of two probes in one process each removes one.
///
/// # Safety
/// The process has one thread.
unsafe fn forget_environment() {
    // SAFETY: NUL-terminated names; the value is moved within its own memory and becomes shorter.
    unsafe {
        sys::unsetenv(VARIABLE.as_ptr());
        let list = sys::getenv(PRELOAD.as_ptr());
        if list.is_null() {
            return;
        }
        let bytes = CStr::from_ptr(list).to_bytes_with_nul();
        match bytes.iter().position(|&b| b == b':') {
            Some(colon) => {
                let rest = bytes.len() - colon - 1;
                core::ptr::copy(list.add(colon + 1), list, rest);
            }
            None => {
                sys::unsetenv(PRELOAD.as_ptr());
            }
        }
    }
}
