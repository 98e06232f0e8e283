//! `cargo perfcheck`: parses the command line, runs, and exits with the run's exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_perfcheck::exit_on_panic();
    cargo_perfcheck::run(
        std::env::args_os(),
        std::io::stdout().lock(),
        std::io::stderr(),
    )
}
