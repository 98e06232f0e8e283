//! The few functions of the C library that the probe calls, declared here so that it has no
//! dependency at all: it is built inside another build, perhaps offline.

use core::ffi::{c_char, c_int, c_long, c_void};

/// `struct timespec` of the 64-bit targets.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Timespec {
    pub(crate) seconds: i64,
    pub(crate) nanos: i64,
}

impl Timespec {
    pub(crate) fn as_nanos(self) -> u64 {
        (self.seconds as u64)
            .wrapping_mul(1_000_000_000)
            .wrapping_add(self.nanos as u64)
    }

    #[cfg(not(feature = "marks"))]
    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Timespec {
            seconds: (nanos / 1_000_000_000) as i64,
            nanos: (nanos % 1_000_000_000) as i64,
        }
    }
}

/// `struct rlimit` of the 64-bit targets.
#[repr(C)]
pub(crate) struct Rlimit {
    pub(crate) current: u64,
    pub(crate) maximum: u64,
}

/// The head of `struct dl_phdr_info`; only the load address is read.
#[repr(C)]
pub(crate) struct DlPhdrInfo {
    pub(crate) address: usize,
}

pub(crate) const CLOCK_MONOTONIC: c_int = 1;
pub(crate) const O_RDONLY: c_int = 0;
pub(crate) const CLOCK_THREAD_CPUTIME_ID: c_int = 3;
pub(crate) const O_RDWR: c_int = 2;
pub(crate) const O_CLOEXEC: c_int = 0o2_000_000;
pub(crate) const PROT_READ: c_int = 1;
pub(crate) const PROT_WRITE: c_int = 2;
#[cfg(feature = "alloc")]
pub(crate) const PROT_EXEC: c_int = 4;
#[cfg(feature = "alloc")]
pub(crate) const MAP_FIXED_NOREPLACE: c_int = 0x100000;
pub(crate) const MAP_SHARED: c_int = 1;
pub(crate) const MAP_PRIVATE: c_int = 2;
pub(crate) const MAP_ANONYMOUS: c_int = 0x20;
pub(crate) const MAP_POPULATE: c_int = 0x8000;
pub(crate) const MAP_FAILED: *mut c_void = -1_isize as *mut c_void;
pub(crate) const MADV_WIPEONFORK: c_int = 18;
pub(crate) const PR_SET_PDEATHSIG: c_int = 1;
pub(crate) const SIGKILL: c_int = 9;
pub(crate) const SIGCONT: c_int = 18;
pub(crate) const SIGSTOP: c_int = 19;
pub(crate) const RLIMIT_STACK: c_int = 3;
pub(crate) const EINTR: c_int = 4;
pub(crate) const ECHILD: c_int = 10;
/// Any child.
pub(crate) const P_ALL: c_int = 0;
pub(crate) const WNOHANG: c_int = 1;
pub(crate) const WEXITED: c_int = 4;
pub(crate) const WNOWAIT: c_int = 0x0100_0000;
pub(crate) const AT_FDCWD: c_int = -100;
pub(crate) const STATX_NLINK: u32 = 4;
pub(crate) const RTLD_NEXT: *mut c_void = -1_isize as *mut c_void;
/// `RTLD_LAZY | RTLD_NOLOAD`.
#[cfg(feature = "alloc")]
pub(crate) const RTLD_IF_LOADED: c_int = 5;
#[cfg(target_arch = "x86_64")]
pub(crate) const SYS_CLOCK_GETTIME: c_long = 228;
#[cfg(target_arch = "aarch64")]
pub(crate) const SYS_CLOCK_GETTIME: c_long = 113;
#[cfg(all(feature = "instructions", target_arch = "x86_64"))]
pub(crate) const SYS_GETRANDOM: c_long = 318;
#[cfg(all(feature = "instructions", target_arch = "aarch64"))]
pub(crate) const SYS_GETRANDOM: c_long = 278;
// Called by number: the C library has a function for it only since glibc 2.28.
#[cfg(target_arch = "x86_64")]
pub(crate) const SYS_STATX: c_long = 332;
#[cfg(target_arch = "aarch64")]
pub(crate) const SYS_STATX: c_long = 291;

/// `struct statx`, 256 bytes, up to the one field that is read; the same on every architecture.
#[repr(C)]
pub(crate) struct Statx {
    pub(crate) mask: u32,
    pub(crate) block_size: u32,
    pub(crate) attributes: u64,
    pub(crate) links: u32,
    pub(crate) rest: [u32; 59],
}

/// Stops a backtrace.
pub(crate) const URC_NORMAL_STOP: c_int = 4;
/// Goes on with a backtrace.
pub(crate) const URC_NO_REASON: c_int = 0;

#[link(name = "c")]
unsafe extern "C" {
    pub(crate) static __libc_stack_end: *const c_void;
    pub(crate) fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    pub(crate) fn syscall(number: c_long, ...) -> c_long;
    pub(crate) fn getenv(name: *const c_char) -> *mut c_char;
    pub(crate) fn unsetenv(name: *const c_char) -> c_int;
    pub(crate) fn getppid() -> c_int;
    pub(crate) fn pause() -> c_int;
    pub(crate) fn getpid() -> c_int;
    pub(crate) fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub(crate) fn close(fd: c_int) -> c_int;
    pub(crate) fn pread(fd: c_int, into: *mut c_void, count: usize, offset: i64) -> isize;
    pub(crate) fn read(fd: c_int, into: *mut c_void, count: usize) -> isize;
    pub(crate) fn write(fd: c_int, from: *const c_void, count: usize) -> isize;
    pub(crate) fn readlink(path: *const c_char, into: *mut c_char, count: usize) -> isize;
    pub(crate) fn mmap(
        at: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: i64,
    ) -> *mut c_void;
    pub(crate) fn madvise(at: *mut c_void, length: usize, advice: c_int) -> c_int;
    pub(crate) fn prctl(option: c_int, ...) -> c_int;
    pub(crate) fn getrlimit(resource: c_int, into: *mut Rlimit) -> c_int;
    pub(crate) fn getrusage(who: c_int, into: *mut Rusage) -> c_int;
    pub(crate) fn __errno_location() -> *mut c_int;
    pub(crate) fn kill(pid: c_int, signal: c_int) -> c_int;
    pub(crate) fn usleep(microseconds: u32) -> c_int;
    pub(crate) fn waitid(kind: c_int, id: u32, into: *mut c_void, options: c_int) -> c_int;
    pub(crate) fn abort() -> !;
    pub(crate) fn dl_iterate_phdr(
        callback: extern "C" fn(*const DlPhdrInfo, usize, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
}

/// `struct rusage` of the 64-bit targets, in words.
pub(crate) type Rusage = [i64; 18];
/// Which word of it: pages that became present without being read from a disk. No process lives without.
#[cfg(feature = "alloc")]
pub(crate) const RUSAGE_MINOR_FAULTS: usize = 8;
#[cfg(feature = "alloc")]
pub(crate) const RUSAGE_CHILDREN: c_int = -1;
/// Which word of it: how often it waited for something of its own accord.
pub(crate) const RUSAGE_VOLUNTARY_SWITCHES: usize = 16;
/// The calling thread.
pub(crate) const RUSAGE_THREAD: c_int = 1;

#[cfg(feature = "alloc")]
#[link(name = "c")]
unsafe extern "C" {
    pub(crate) fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    pub(crate) fn mprotect(at: *mut c_void, length: usize, protection: c_int) -> c_int;
    pub(crate) fn munmap(at: *mut c_void, length: usize) -> c_int;
    pub(crate) fn pthread_key_create(
        key: *mut u32,
        destructor: Option<extern "C" fn(*mut c_void)>,
    ) -> c_int;
    pub(crate) fn pthread_getspecific(key: u32) -> *mut c_void;
    pub(crate) fn pthread_setspecific(key: u32, value: *const c_void) -> c_int;
}

#[link(name = "gcc_s")]
unsafe extern "C" {
    pub(crate) fn _Unwind_Backtrace(
        callback: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
    pub(crate) fn _Unwind_GetIP(context: *mut c_void) -> usize;
    pub(crate) fn _Unwind_GetCFA(context: *mut c_void) -> usize;
}

#[cfg(feature = "marks")]
#[link(name = "c")]
unsafe extern "C" {
    pub(crate) fn pwrite(fd: c_int, from: *const c_void, count: usize, offset: i64) -> isize;
    pub(crate) fn sigaction(
        signal: c_int,
        action: *const Sigaction,
        before: *mut Sigaction,
    ) -> c_int;
}

/// `struct sigaction` of glibc on the 64-bit targets.
#[cfg(feature = "marks")]
#[repr(C)]
pub(crate) struct Sigaction {
    pub(crate) handler: extern "C" fn(c_int, *mut c_void, *mut c_void),
    pub(crate) mask: [u64; 16],
    pub(crate) flags: c_int,
    pub(crate) restorer: *mut c_void,
}

#[cfg(feature = "marks")]
pub(crate) const SIGTRAP: c_int = 5;
#[cfg(feature = "marks")]
pub(crate) const SA_SIGINFO: c_int = 4;
#[cfg(feature = "marks")]
pub(crate) const SA_ONSTACK: c_int = 0x0800_0000;
#[cfg(feature = "marks")]
pub(crate) const SA_RESTART: c_int = 0x1000_0000;

/// Why the last call failed.
#[cfg(not(feature = "marks"))]
pub(crate) fn errno() -> c_int {
    // SAFETY: the location of errno is valid in every thread.
    unsafe { *__errno_location() }
}
