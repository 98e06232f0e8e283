//! What `cargo perfcheck` itself costs on a workspace of a thousand benchmarks:
//! `cargo bench --bench overhead`.
//!
//! The benchmarks are fakes that answer at once (`fixtures/fakes/speaker.rs`), so that the cost is the program's
//! own work: discovery, scheduling, analysis, and a report in every format. Its processor time is set against the
//! time that real benchmarks spend on as many rounds. The fakes do not read the clock around their samples, so the
//! log of paired sampling is not part of it.

#![expect(clippy::print_stdout, reason = "a number for a person")]

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TARGETS: usize = 10;
const PER_TARGET: usize = 100;

/// The rounds of each benchmark: the fewest that a verdict needs, so that one-time work weighs most.
const ROUNDS: usize = 6;

/// How long a round of a real benchmark takes on both sides with the default settings: 50 ms of
/// warm-up and 100 ms of measuring each.
const ROUND: Duration = Duration::from_millis(300);

/// The largest acceptable share of a run.
const LARGEST_SHARE: f64 = 0.02;
const MOST_MEMORY: u64 = 200_000_000;

/// Linux counts processor time for user space in hundredths of a second on every architecture.
const TICKS: f64 = 100.0;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("repository");
    lay_out(&root)?;
    let out = folder.path().join("reports");
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"))
        .args(["perfcheck", "HEAD~1..HEAD", "--seed", "1", "--no-cache"])
        .args([
            "--quiet",
            "--no-allocations",
            "--rounds",
            &ROUNDS.to_string(),
        ])
        .arg("--report-dir")
        .arg(&out)
        .current_dir(&root)
        .env("XDG_CACHE_HOME", folder.path().join("cache"))
        .stdout(Stdio::null())
        .spawn()?;
    let (processor, memory) = watch(&mut child)?;
    let rounds = (TARGETS * PER_TARGET * ROUNDS) as u32;
    let share = processor.as_secs_f64() / (ROUND * rounds).as_secs_f64();
    println!("{} benchmarks, {ROUNDS} rounds each", TARGETS * PER_TARGET);
    println!("own processor time {:.2} s", processor.as_secs_f64());
    println!(
        "share of a real run of as many rounds: {:.2} %",
        share * 100.0
    );
    println!("own peak memory {} MB", memory / 1_000_000);
    println!(
        "(this run, with fakes: {:.1} s)",
        began.elapsed().as_secs_f64()
    );
    if share > LARGEST_SHARE || memory > MOST_MEMORY {
        return Err("more than 2 % of a run, or more than 200 MB".into());
    }
    Ok(())
}

/// Processor time and peak memory of a process without its children, until it ends.
fn watch(child: &mut Child) -> Result<(Duration, u64), Box<dyn Error>> {
    let process = format!("/proc/{}", child.id());
    let (mut ticks, mut memory) = (0.0, 0);
    loop {
        if let Some(status) = child.try_wait()? {
            // 100 is the answer "rejected".
            if !matches!(status.code(), Some(0 | 100)) {
                return Err(format!("cargo-perfcheck ended with {status}").into());
            }
            return Ok((Duration::from_secs_f64(ticks / TICKS), memory));
        }
        let process = Path::new(&process);
        ticks = own_ticks(process).unwrap_or(ticks).max(ticks);
        memory = peak_memory(process).unwrap_or(memory).max(memory);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `utime` and `stime` of proc(5).
fn own_ticks(process: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name may hold spaces and parentheses; the state follows the last one.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
}

fn peak_memory(process: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(process.join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Two commits whose benchmarks take different times.
fn lay_out(root: &Path) -> Result<(), Box<dyn Error>> {
    let speaker = include_str!("../fixtures/fakes/speaker.rs");
    let mut manifest = "[package]\nname = \"fakes\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
                        [lib]\nbench = false\n"
        .to_owned();
    std::fs::create_dir_all(root.join("src"))?;
    std::fs::create_dir_all(root.join("benches"))?;
    std::fs::write(root.join("src/lib.rs"), "")?;
    for target in 0..TARGETS {
        manifest.push_str(&format!(
            "\n[[bench]]\nname = \"t{target}\"\nharness = false\n"
        ));
        let scripted = speaker.replace(
            "std::env::var(\"FAKE_SCRIPT\").unwrap_or_default()",
            &format!("include_str!(\"script{target}\")"),
        );
        std::fs::write(root.join(format!("benches/t{target}.rs")), scripted)?;
    }
    std::fs::write(root.join("Cargo.toml"), manifest)?;
    let lock = "version = 4\n\n[[package]]\nname = \"fakes\"\nversion = \"0.1.0\"\n";
    std::fs::write(root.join("Cargo.lock"), lock)?;
    git(root, &["init", "--quiet"])?;
    for (subject, nanos) in [("The base", 1_000), ("The head", 1_100)] {
        for target in 0..TARGETS {
            let lines = (0..PER_TARGET).map(|i| format!("bench\tgroup/{target}/case {i}\n"));
            let script = format!("ns\t{nanos}\n{}", lines.collect::<String>());
            std::fs::write(root.join(format!("benches/script{target}")), script)?;
        }
        git(root, &["add", "."])?;
        git(root, &["commit", "--quiet", "--message", subject])?;
    }
    Ok(())
}

fn git(root: &Path, words: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut git = Command::new("git");
    for role in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{role}_NAME"), "Author")
            .env(format!("GIT_{role}_EMAIL"), "author@example.com");
    }
    let status = git
        .args(words)
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status()?;
    if !status.success() {
        return Err(format!("git {} failed", words.join(" ")).into());
    }
    Ok(())
}
