//! pprof counts stacks as equal if they pass through the same *functions*, which it finds by asking
//! the unwinder for the function around each address. For us, lines and inlined functions matter: two
//! samples of one function at different instructions are different.
//!
//! So this function answers instead, with the address itself. Its symbol is hidden: only pprof,
//! which is linked into this library, finds it. This also spares the signal handler a walk over the
//! loader's list of libraries, whose lock the interrupted code may hold.

use core::arch::global_asm;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _Unwind_FindEnclosingFunction",
    ".hidden _Unwind_FindEnclosingFunction",
    ".type _Unwind_FindEnclosingFunction, @function",
    "_Unwind_FindEnclosingFunction:",
    "mov rax, rdi",
    "ret",
    ".size _Unwind_FindEnclosingFunction, . - _Unwind_FindEnclosingFunction",
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _Unwind_FindEnclosingFunction",
    ".hidden _Unwind_FindEnclosingFunction",
    ".type _Unwind_FindEnclosingFunction, %function",
    "_Unwind_FindEnclosingFunction:",
    "ret",
    ".size _Unwind_FindEnclosingFunction, . - _Unwind_FindEnclosingFunction",
);
