//! The file that host and probe share, as numbers. This one file is compiled into both.
//!
//! There is one file per side. The host writes it with `pwrite` and reads it with `pread`; the
//! probe maps it. All fields are native-endian 64-bit words (host and probe run on one machine):
//!
//! | where | what |
//! |---|---|
//! | [`HEADER_WORDS`] words | the fields whose index is given by the constants below |
//! | from [`PATH_OFFSET`] | the path of the executable, [`PATH_BYTES`] at most, ending in NUL |
//! | from [`RANGES_OFFSET`] | [`RANGE_COUNT`] pairs (start, end) of addresses as in the symbol table, sorted |
//! | from the offset in [`LOG_OFFSET`] | [`LOG_CAPACITY`] records of [`RECORD_WORDS`] words |
//! | from the offset in [`TRACE_OFFSET`] | [`TRACE_CAPACITY`] stacks of [`TRACE_WORDS`] words |
//! | from the offset in [`STATEMENTS_OFFSET`] | [`STATEMENTS_CAPACITY`] statements of [`STATEMENT_WORDS`] words |

use core::ffi::CStr;

/// The first word: identifies our file and its layout.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"perfchk1");

/// Words of the header.
pub(crate) const HEADER_WORDS: usize = 256;
/// Where the path of the executable begins, in bytes.
pub(crate) const PATH_OFFSET: usize = HEADER_WORDS * 8;
/// Room for that path.
pub(crate) const PATH_BYTES: usize = 4096;
/// Where the ranges begin, in bytes.
pub(crate) const RANGES_OFFSET: usize = PATH_OFFSET + PATH_BYTES;

// Written by the host.

/// [`MAGIC`].
pub(crate) const MAGIC_WORD: usize = 0;
/// Length of the whole file in bytes.
pub(crate) const FILE_BYTES: usize = 1;
/// Number of ranges.
pub(crate) const RANGE_COUNT: usize = 2;
/// Where the log begins, in bytes.
pub(crate) const LOG_OFFSET: usize = 3;
/// How many records the log holds.
pub(crate) const LOG_CAPACITY: usize = 4;
/// Words of a record: [`TIMING_WORDS`], or [`ALLOCATION_WORDS`] for the allocation probe.
pub(crate) const RECORD_WORDS: usize = 5;
/// Raised by one before each benchmark; a change makes the probe forget what it had learnt.
pub(crate) const GENERATION: usize = 6;
/// One of the `MODE_` constants.
pub(crate) const MODE: usize = 7;
/// The least time that a side keeps the turn, in nanoseconds.
pub(crate) const SLICE_NS: usize = 8;
/// By how much timed regions are lengthened, in millionths.
pub(crate) const INJECT_PPM: usize = 9;
/// [`SHIM_WORDS`] words for each of `__rust_alloc`, `__rust_dealloc`, `__rust_realloc` and
/// `__rust_alloc_zeroed`.
pub(crate) const SHIMS: usize = 10;
/// The address as in the symbol table, 0 if unknown.
pub(crate) const SHIM_ADDRESS: usize = 0;
/// How many bytes of code a jump replaces, in whole instructions; 0 if they cannot be moved.
pub(crate) const SHIM_LENGTH: usize = 1;
/// A byte each: one more than where, in that code, a 32-bit distance from the next instruction is;
/// 0 for none. With [`SHIM_BRANCH`], where the last instruction is, a conditional branch with a distance of 8 bits.
pub(crate) const SHIM_DISTANCES: usize = 2;
/// Set in the byte of a branch.
pub(crate) const SHIM_BRANCH: u8 = 0x80;
/// The first [`SHIM_CODE_BYTES`] bytes of code, for comparison.
pub(crate) const SHIM_CODE: usize = 3;
/// Bytes of code.
pub(crate) const SHIM_CODE_BYTES: usize = 16;
/// Words for each entry point.
pub(crate) const SHIM_WORDS: usize = 5;
/// The period of the profiler's timer, in nanoseconds.
pub(crate) const PROFILE_PERIOD_NS: usize = 60;
/// One of the `CLOCK_` constants: which time the profiler's timer counts.
pub(crate) const PROFILE_CLOCK: usize = 61;

/// Whether the whole process is profiled, from before `main` until it exits: 1 if it is.
pub(crate) const PROFILE_FROM_START: usize = 168;

/// Whether the allocations of the whole process are counted, until its exit handlers have run: 1 if they are.
pub(crate) const COUNT_FROM_START: usize = 169;

/// One in this many requests of a sample has its call stack recorded, on average.
pub(crate) const TRACE_STRIDE: usize = 30;
/// How many requests at the beginning of each sample that applies to; 0 for no stacks at all.
pub(crate) const TRACE_LIMIT: usize = 31;
/// Where the table of stacks begins, in bytes.
pub(crate) const TRACE_OFFSET: usize = 38;
/// How many stacks it can hold.
pub(crate) const TRACE_CAPACITY: usize = 39;

/// Which functions of the executable are redirected, a `HOOKS_` constant.
pub(crate) const HOOKS: usize = 41;
/// How many functions [`NATIVE`] describes.
pub(crate) const NATIVE_COUNT: usize = 42;
/// [`NATIVE_WORDS`] words for each function of an allocator in the executable.
pub(crate) const NATIVE: usize = 64;
/// What it does: a `NATIVE_` constant.
pub(crate) const NATIVE_KIND: usize = 0;
/// The words of an entry point begin here.
pub(crate) const NATIVE_SHIM: usize = 1;
/// Words for each function.
pub(crate) const NATIVE_WORDS: usize = NATIVE_SHIM + SHIM_WORDS;
/// Functions at most.
pub(crate) const NATIVE_MOST: usize = 16;

/// The process of the other side, which leads a process group; 0 if it is never stopped.
pub(crate) const PEER: usize = 50;

/// The call with which the warm-up is to end; 0 if Criterion's reads of the clock are left alone.
pub(crate) const WARM_UP_CALLS: usize = 53;
/// The least time that it lasts after its first call, in nanoseconds.
pub(crate) const WARM_UP_LEAST_NS: usize = 54;
/// The mark of the place that, in an earlier process of the same code, was the last of each call of the same
/// benchmark; 0 if unknown.
pub(crate) const WARM_UP_PLACE: usize = 59;
/// How long Criterion is told that it lasted, in nanoseconds.
pub(crate) const WARM_UP_TOLD_NS: usize = 55;

/// With which call of the warm-up counting instructions ends,
pub(crate) const COUNT_CALLS: usize = 165;
/// or with the first one that begins after so many nanoseconds. What is left of the benchmark may take twice as long.
pub(crate) const COUNT_FOR_NS: usize = 166;

/// One of the `CLOCK_READS_` constants: in which order the benchmark's harness reads the clock.
pub(crate) const CLOCK_READS: usize = 164;
/// Criterion's order: each call of `Bencher::iter` is a sample (`probe/src/sample.rs`).
pub(crate) const CLOCK_READS_OF_CRITERION: u64 = 0;
/// The built-in harness's order (`probe/src/libtest.rs`).
pub(crate) const CLOCK_READS_OF_LIBTEST: u64 = 1;

/// The process waits after this many samples behind a warm-up that was ended; 0 for never.
pub(crate) const ENOUGH_SAMPLES: usize = 160;
/// It waits after the very first call if that took this many nanoseconds; 0 for never.
pub(crate) const ENOUGH_SLOW_NS: usize = 161;
/// It waits after this many calls, including those of the warm-up, once [`WARM_UP_LEAST_NS`] have passed since the
/// first one; 0 for never.
pub(crate) const ENOUGH_CALLS: usize = 162;
/// It waits once the timed regions of all calls, including those of the warm-up, took this many nanoseconds
/// together; 0 for never.
pub(crate) const ENOUGH_TIMED_NS: usize = 163;

/// Where the table of statements begins, in bytes.
pub(crate) const STATEMENTS_OFFSET: usize = 170;
/// How many statements it can hold; 0 if none are counted.
pub(crate) const STATEMENTS_CAPACITY: usize = 171;
/// Whether the call stacks of statements are recorded: 1 if they are.
pub(crate) const TRACE_STATEMENTS: usize = 172;
/// [`SHIM_WORDS`] words for each of [`SQLITE_FUNCTIONS`] that is in the executable.
pub(crate) const SQLITE: usize = 192;
/// The functions of SQLite that tell when a statement begins.
pub(crate) const SQLITE_FUNCTIONS: [&CStr; 7] = [
    c"sqlite3_step",
    c"sqlite3_reset",
    c"sqlite3_finalize",
    c"sqlite3_prepare",
    c"sqlite3_prepare_v2",
    c"sqlite3_prepare_v3",
    c"sqlite3_exec",
];

/// None.
pub(crate) const HOOKS_NONE: u64 = 0;
/// The entry points of Rust's allocator, to count.
pub(crate) const HOOKS_RUST: u64 = 1;
/// The functions of an allocator in the executable, to count.
pub(crate) const HOOKS_NATIVE: u64 = 2;
/// The entry points of Rust's allocator, to see whether each request is passed on to the C library.
pub(crate) const HOOKS_WRAPPER: u64 = 3;

/// Allocates as many bytes as its first argument says.
pub(crate) const NATIVE_ALLOCATE: u64 = 1;
/// As its second argument says.
pub(crate) const NATIVE_ALLOCATE_SECOND: u64 = 2;
/// As the product of the first and the second says.
pub(crate) const NATIVE_ALLOCATE_MANY: u64 = 3;
/// As its third argument says; the block's address goes where the first points to, and 0 is success.
pub(crate) const NATIVE_ALLOCATE_INTO: u64 = 4;
/// Makes the block of its first argument as long as its second says.
pub(crate) const NATIVE_REALLOCATE: u64 = 5;
/// Frees the block of its first argument.
pub(crate) const NATIVE_FREE: u64 = 6;

// Written by the probe.

/// Requests that reached the C library.
pub(crate) const REACHED: usize = 43;
/// Calls of entry points that led to one call of the C library for the same size.
pub(crate) const PASSED_ON: usize = 44;
/// Calls of entry points that led to anything else.
pub(crate) const KEPT: usize = 45;
/// Blocks whose size could not be stored, and blocks of unknown size that were freed within a sample.
pub(crate) const SIZES_LOST: usize = 46;
/// 1 once a child process has ended within a sample of the benchmark.
pub(crate) const CHILDREN: usize = 48;
/// How often statements were run.
pub(crate) const STATEMENTS_RUN: usize = 173;
/// How many of them found no place in the table.
pub(crate) const STATEMENTS_LOST: usize = 174;
/// A `SHIM_` constant: [`SHIM_HOOKED`] if statements are counted, [`SHIM_NONE`] if no SQLite has been seen.
pub(crate) const STATEMENTS_STATE: usize = 175;
/// With the stacks of so many statements it is known well enough where they come from.
pub(crate) const TRACE_MOST_STATEMENTS: u64 = 20_000;
/// Requests whose stack found no place in the table.
pub(crate) const TRACE_LOST: usize = 40;
/// The process that is attached, 0 while none is.
pub(crate) const ATTACHED_PID: usize = 32;
/// Samples seen since the benchmark began; more than the capacity when some were not recorded.
pub(crate) const LOG_COUNT: usize = 33;
/// Reads of the clock on the main thread that were not recognised as Criterion's.
pub(crate) const FOREIGN_READS: usize = 34;
/// How often the turn was taken over from the other side.
pub(crate) const TURNS: usize = 35;
/// One of the `PHASE_` constants.
pub(crate) const PHASE: usize = 36;
/// One of the `SHIM_` constants: what became of the allocator's entry points.
pub(crate) const SHIM_STATE: usize = 37;
/// One more than the number of the last sample with any of [`FOREIGN_READS`] in a timed region, which then includes
/// the work of identifying the read; 0 for none.
pub(crate) const FOREIGN_WITHIN: usize = 49;
/// How often this side has stopped the other one since the benchmark began.
pub(crate) const STOPS: usize = 51;
/// How often it could not.
pub(crate) const UNSTOPPED: usize = 52;
/// How many calls the warm-up had, if the probe ended it; 0 if it did not.
pub(crate) const WARM_UP_ENDED: usize = 56;
/// How long it lasted, in nanoseconds, waiting for turns included.
pub(crate) const WARM_UP_TOOK_NS: usize = 57;
/// The mark of the place of the last read of the calls so far; 0 if that has not been shown.
pub(crate) const SHOWN_PLACE: usize = 62;
/// 1 once a read that seemed to be the last of its call was followed by another one.
pub(crate) const WARM_UP_DOUBTED: usize = 58;
/// How many calls of the warm-up had their instructions counted; 0 until all are.
pub(crate) const COUNTED_CALLS: usize = 167;
/// Where the executable is loaded; the marking probe writes it once every breakpoint is set.
pub(crate) const BIAS: usize = 47;

/// The seam answers the clock and does nothing else.
pub(crate) const MODE_OFF: u64 = 0;
/// Samples are logged.
pub(crate) const MODE_OBSERVE: u64 = 1;
/// Samples are logged, and each waits for its turn.
pub(crate) const MODE_PAIRED: u64 = 2;

/// The main thread is sampled, by a high-resolution timer.
pub(crate) const CLOCK_OF_MAIN_THREAD: u64 = 0;
/// All threads are sampled, by their processor time and no more often than the kernel's tick.
pub(crate) const CLOCK_OF_PROCESS: u64 = 1;

/// The process runs.
pub(crate) const PHASE_RUNNING: u64 = 0;
/// The process waits for its turn.
pub(crate) const PHASE_WAITING: u64 = 1;
/// The process has run enough of the benchmark, and waits until it is ended.
pub(crate) const PHASE_ENOUGH: u64 = 2;

/// The byte that gives a side the turn.
pub(crate) const TOKEN: u8 = b'T';
/// The same, from a side with more threads than the one that waits: it has to be stopped.
pub(crate) const TOKEN_OF_SEVERAL: u8 = b'S';
/// The byte that tells a side that it runs alone until the next benchmark.
pub(crate) const ALONE: u8 = b'A';

// A record.

/// The sample's first read, in nanoseconds of the monotonic clock.
pub(crate) const RECORD_START: usize = 0;
/// The end of its last timed region, on the same clock.
pub(crate) const RECORD_END: usize = 1;
/// The sum of its timed regions in nanoseconds.
pub(crate) const RECORD_TIMED: usize = 2;
/// How many timed regions it had.
pub(crate) const RECORD_REGIONS: usize = 3;
/// For how many nanoseconds of the sample the main thread was ready to run but did not; 0 if unknown.
pub(crate) const RECORD_PREEMPTED: usize = 4;
/// Words of a record of the timing probe.
pub(crate) const TIMING_WORDS: usize = 5;

// The rest of a record of the allocation probe. All sums and extremes are over the timed regions.

/// Allocations that succeeded.
pub(crate) const RECORD_ALLOCATIONS: usize = 5;
/// Reallocations that succeeded.
pub(crate) const RECORD_REALLOCATIONS: usize = 6;
/// Frees.
pub(crate) const RECORD_FREES: usize = 7;
/// Bytes requested by allocations, and the new sizes requested by reallocations.
pub(crate) const RECORD_BYTES: usize = 8;
/// The most live bytes above those live when the region began.
pub(crate) const RECORD_PEAK: usize = 9;
/// Live bytes at the ends of regions less those at their beginnings: a signed number.
pub(crate) const RECORD_GROWTH: usize = 10;
/// The largest size asked for.
pub(crate) const RECORD_LARGEST: usize = 11;
/// Allocations that failed.
pub(crate) const RECORD_FAILURES: usize = 12;
/// Live bytes at the sample's last read less those at its first, including allocations outside the timed regions: a
/// signed number.
pub(crate) const RECORD_RETAINED: usize = 13;
/// [`HISTOGRAM_WORDS`] counts of requests: bucket b holds sizes with b significant bits.
pub(crate) const RECORD_HISTOGRAM: usize = 14;
/// Buckets, the first for size 0.
pub(crate) const HISTOGRAM_WORDS: usize = 65;
/// Words of a record of the allocation probe.
pub(crate) const ALLOCATION_WORDS: usize = RECORD_HISTOGRAM + HISTOGRAM_WORDS;

// A stack in the table; all zero where there is none.

/// How many of the recorded requests came from it.
pub(crate) const TRACE_REQUESTS: usize = 0;
/// Bytes that they asked for.
pub(crate) const TRACE_BYTES: usize = 1;
/// A hash of its addresses.
pub(crate) const TRACE_HASH: usize = 2;
/// How many addresses it has.
pub(crate) const TRACE_LENGTH: usize = 3;
/// One more than the number of the statement that it has run; 0 if it has asked for memory.
pub(crate) const TRACE_STATEMENT: usize = 4;
/// Bytes of blocks from it that are still live; only of a process that is counted as a whole.
pub(crate) const TRACE_LEFT: usize = 5;
/// Return addresses, the innermost first. The first ones are the probe's own.
pub(crate) const TRACE_ADDRESSES: usize = 6;
/// Addresses at most.
pub(crate) const TRACE_DEPTH: usize = 60;
/// Words of a stack.
pub(crate) const TRACE_WORDS: usize = TRACE_ADDRESSES + TRACE_DEPTH;

// A statement in the table; all zero where there is none.

/// How often it was run.
pub(crate) const STATEMENT_RUNS: usize = 0;
/// A hash of its text; never 0.
pub(crate) const STATEMENT_HASH: usize = 1;
/// How many bytes of its text there are.
pub(crate) const STATEMENT_LENGTH: usize = 2;
/// Its text without literals (`statement.rs`), cut to [`STATEMENT_BYTES`].
pub(crate) const STATEMENT_TEXT: usize = 3;
/// Bytes of text.
pub(crate) const STATEMENT_BYTES: usize = (STATEMENT_WORDS - STATEMENT_TEXT) * 8;
/// Words of a statement.
pub(crate) const STATEMENT_WORDS: usize = 64;

/// The entry points of Rust's allocator have not been examined.
pub(crate) const SHIM_NONE: u64 = 0;
/// They lead to us.
pub(crate) const SHIM_HOOKED: u64 = 1;
/// Their code has an unknown form that cannot be redirected.
pub(crate) const SHIM_UNKNOWN: u64 = 2;
/// The system did not allow it.
pub(crate) const SHIM_REFUSED: u64 = 3;
/// Nothing is counted at all: there was no memory, or no thread-specific key.
pub(crate) const SHIM_DEAF: u64 = 4;
/// Of SQLite: there were more prepared statements at a time than can be told apart.
pub(crate) const SHIM_CROWDED: u64 = 5;
/// Of SQLite: a library of it was loaded whose functions do not lead to us.
pub(crate) const SHIM_APART: u64 = 6;

/// The variable that names the run: `<pid of the host>:<folder>/<base|head>`.
pub(crate) const VARIABLE: &str = "PERFCHECK_PROBE";
/// The same for the library that marks what is executed.
pub(crate) const MARKS_VARIABLE: &str = "PERFCHECK_MARKS";
