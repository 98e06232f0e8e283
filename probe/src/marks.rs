//! Which of certain instructions are executed: a breakpoint at the first byte of each, which the first hit removes.
//!
//! The original byte is put back at the first hit, and the mark is in the shared file, so an instruction costs one
//! signal however often it is executed. The host arms instructions again by writing into the memory of a process
//! that is held.
//!
//! Threads share the code and the handler; a thread that hits a breakpoint which another one has
//! just removed continues where it was. A forked child has the handler and its own copy of the
//! code, and its marks count as well. A process that blocks or takes over SIGTRAP dies at its first
//! breakpoint, and the host then knows nothing about it.

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::layout;
use crate::shared::Shared;
use crate::sys;

/// `int3`.
const BREAKPOINT: u8 = 0xcc;
/// Where the instruction pointer is in `ucontext_t`, in bytes.
const INSTRUCTION_POINTER: usize = 168;

/// The mapping of the shared file, set once.
static SHARED: AtomicUsize = AtomicUsize::new(0);
/// Where the executable is loaded.
static BIAS: AtomicUsize = AtomicUsize::new(0);
/// Whether both are set.
static READY: AtomicBool = AtomicBool::new(false);

/// Nothing has to be done at the start.
pub(crate) fn start() {}

/// Arms every instruction that the host has named. `None` if the system does not allow it, or if the
/// code is not what the host has read.
///
/// # Safety
/// The process has one thread, and `bias` is where the executable of `shared` is loaded.
pub(crate) unsafe fn attach(shared: Shared, _: &[u8], bias: usize) -> Option<()> {
    SHARED.store(shared.address(), Ordering::Release);
    BIAS.store(bias, Ordering::Release);
    READY.store(true, Ordering::Release);
    let action = sys::Sigaction {
        handler: on_breakpoint,
        mask: [0; 16],
        flags: sys::SA_SIGINFO | sys::SA_ONSTACK | sys::SA_RESTART,
        restorer: null_mut(),
    };
    // SAFETY: a complete description; the handler calls nothing but system calls.
    if unsafe { sys::sigaction(sys::SIGTRAP, &raw const action, null_mut()) } != 0 {
        return None;
    }
    let memory = Memory::open()?;
    for index in 0..shared.get(layout::RANGE_COUNT) {
        let (address, byte) = shared.breakpoint(index);
        let at = bias.wrapping_add(address as usize);
        // SAFETY: the host has read this address from the executable, and it lies
        // in its code.
        if unsafe { *(at as *const u8) } != byte || !memory.write(at, BREAKPOINT) {
            return None;
        }
    }
    shared.set(layout::BIAS, bias as u64);
    Some(())
}

/// The process's own memory as a file: writing there works even for read-only pages.
struct Memory {
    file: c_int,
}

impl Memory {
    fn open() -> Option<Memory> {
        // SAFETY: a NUL-terminated path. It is the memory of the process that asks: a forked child's own.
        let file = unsafe { sys::open(c"/proc/self/mem".as_ptr(), sys::O_RDWR | sys::O_CLOEXEC) };
        (file >= 0).then_some(Memory { file })
    }

    fn write(&self, at: usize, byte: u8) -> bool {
        // SAFETY: one readable byte; the kernel checks the address.
        unsafe { sys::pwrite(self.file, (&raw const byte).cast(), 1, at as i64) == 1 }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: opened by us and closed once.
        unsafe { sys::close(self.file) };
    }
}

extern "C" fn on_breakpoint(_: c_int, _: *mut c_void, context: *mut c_void) {
    // SAFETY: the location of errno is valid in every thread.
    let errno = unsafe { *sys::__errno_location() };
    if hit(context).is_none() {
        // A breakpoint of the program's own, or one that we cannot remove: it would be hit forever.
        // SAFETY: abort has no preconditions.
        unsafe { sys::abort() }
    }
    // SAFETY: as above.
    unsafe { *sys::__errno_location() = errno };
}

/// Marks the instruction, puts its first byte back, and has it executed once more.
fn hit(context: *mut c_void) -> Option<()> {
    if !READY.load(Ordering::Acquire) {
        return None;
    }
    // SAFETY: set before by `attach`; the mapping lives as long as the process.
    let shared = unsafe { Shared::new(SHARED.load(Ordering::Acquire) as *const _) };
    // SAFETY: the context that the kernel hands to a handler, of this system's layout.
    let pointer = unsafe { context.byte_add(INSTRUCTION_POINTER).cast::<usize>() };
    // SAFETY: as above.
    let at = unsafe { *pointer } - 1;
    let address = at.wrapping_sub(BIAS.load(Ordering::Acquire)) as u64;
    let index = shared.breakpoint_at(address)?;
    shared.mark(index);
    let (_, byte) = shared.breakpoint(index);
    Memory::open()?.write(at, byte).then_some(())?;
    // SAFETY: as above.
    unsafe { *pointer = at };
    Some(())
}
