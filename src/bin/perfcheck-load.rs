//! `perfcheck-load`: the load generator of `cargo perfcheck load`, in a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_perfcheck::load_generator::main(
        std::env::args_os(),
        std::io::stdin().lock(),
        std::io::stdout().lock(),
        std::io::stderr(),
    )
}
