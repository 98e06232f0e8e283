//! The launcher of programs that are measured as a whole: see `cargo_perfcheck::process::launcher`. It is a program of
//! its own so that it is small: what it holds is counted as memory of the program that it starts.

use std::ffi::OsString;
use std::process::ExitCode;

use cargo_perfcheck::process::launcher;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    launcher::run(&words)
}
