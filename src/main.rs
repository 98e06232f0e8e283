//! `cargo perfcheck`: parses, runs, and leaves with the run's exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_perfcheck::run(
        std::env::args_os(),
        std::io::stdout().lock(),
        std::io::stderr(),
    )
}
