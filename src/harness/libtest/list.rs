//! Which benchmarks an executable of libtest has.

use std::io::{Read, Seek};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::build::{CommandLine, Executable};
use crate::process::Tail;
use crate::scratch::Scratch;
use crate::units::Side;

use super::super::conversation::GLANCE;
use super::super::{Ending, Invocation};

/// How libtest ends the line of a benchmark in its list.
const BENCHMARK: &str = ": benchmark";

/// The names of the functions with `#[bench]` that are not ignored, in the order in which libtest runs them. An
/// error comes with the last lines that the process wrote to stderr.
///
/// # Errors
/// The executable cannot be started, fails, or is silent for longer than the timeout.
pub(crate) fn list_libtest(
    executable: &Executable,
    side: Side,
    timeout: Duration,
    scratch: &Scratch,
) -> Result<Vec<String>, (Ending, String)> {
    let executable = &Executable {
        command_line: CommandLine::Libtest,
        ..executable.clone()
    };
    let ask = |more: &[&str]| {
        let words = ["--bench", "--list", "--format", "terse"];
        answer(executable, side, &[&words, more].concat(), timeout, scratch)
    };
    let (all, ignored) = (ask(&[])?, ask(&["--ignored"])?);
    let names = |text: &str| -> Vec<String> {
        let names = text.lines().filter_map(|line| line.strip_suffix(BENCHMARK));
        names.map(str::to_owned).collect()
    };
    let ignored = names(&ignored);
    let mut benchmarks = names(&all);
    benchmarks.retain(|name| !ignored.contains(name));
    Ok(benchmarks)
}

/// What the executable writes to stdout when started with these arguments.
fn answer(
    executable: &Executable,
    side: Side,
    words: &[&str],
    timeout: Duration,
    scratch: &Scratch,
) -> Result<String, (Ending, String)> {
    let invocation = Invocation::of_nothing(executable, side);
    let without_words = |source: std::io::Error| (Ending::NotStarted(source), String::new());
    let mut output = tempfile::tempfile_in(scratch.path()).map_err(without_words)?;
    let into = output.try_clone().map_err(without_words)?;
    let mut command = invocation.command_with(words, scratch.path());
    command.stdout(Stdio::from(into));
    let mut child = scratch
        .spawn_benchmark(&mut command)
        .map_err(without_words)?;
    let stderr = child.stderr.take().map(Tail::of);
    let deadline = Instant::now() + timeout;
    let ending = loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break None,
            Ok(Some(status)) => break Some(Ending::Exited { status }),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(GLANCE / 4),
            Ok(None) => break Some(Ending::Silent { waited: timeout }),
            Err(error) => break Some(error.into()),
        }
    };
    child.kill();
    let _ = child.wait();
    let last_words = || stderr.as_ref().map(Tail::last_lines).unwrap_or_default();
    if let Some(ending) = ending {
        return Err((ending, last_words()));
    }
    let mut text = String::new();
    output
        .rewind()
        .and_then(|()| output.read_to_string(&mut text))
        .map_err(|error| (error.into(), last_words()))?;
    Ok(text)
}
