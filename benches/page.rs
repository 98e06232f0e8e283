//! How long a browser takes to open the page of a thousand benchmarks: `cargo bench --bench page`.
//!
//! The page is of a thousand benchmarks with rounds and distributions; a fifth of them is slower and explained,
//! with functions, source and flame graphs. Headless Chromium opens it from disk; what counts is the time from the
//! start of the navigation until the page has loaded, its script has run, and everything is laid out, according to
//! the browser's own clock.
//!
//! So does the page of a trend: of a thousand commits, each with a run of fifty benchmarks. It also prints
//! how long `cargo perfcheck trend` takes to read the runs, to solve them and to write the page.

#![expect(clippy::print_stdout, reason = "a number for a person")]

#[path = "../tests/suite/reports/builder.rs"]
mod builder;
#[path = "../tests/suite/reports/cases.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod cases;
#[path = "../tests/suite/thousand_commits.rs"]
mod thousand_commits;

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::{self, RenderOptions, Report};

/// How often the page is opened, each time by a new browser.
const TIMES: usize = 5;

/// Of so many benchmarks is the trend.
const BENCHMARKS: usize = 50;

/// The longest acceptable time, in milliseconds.
const MOST: f64 = 2000.0;

/// Records when the page has loaded and is laid out; the browser dumps it right after that.
const WATCH: &str = "<script>addEventListener('load', () => { document.body.getBoundingClientRect(); \
    const pre = document.createElement('pre'); pre.id = 'ready'; pre.textContent = performance.now(); \
    document.body.append(pre); });</script></body>";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let pages = [
        ("plain", cases::thousand()),
        ("explained", cases::thousand_explained()),
    ];
    let mut longest: f64 = 0.0;
    for (name, report) in pages {
        longest = longest.max(opened(&report, name, folder.path())?);
    }
    longest = longest.max(trend(folder.path())?);
    if longest > MOST {
        return Err(format!("more than {MOST} ms; is this machine busy with other work?").into());
    }
    Ok(())
}

/// The median time of opening the page of a trend, in milliseconds.
fn trend(folder: &Path) -> Result<f64, Box<dyn Error>> {
    thousand_commits::write(folder, BENCHMARKS)?;
    let program = |words: &[&str]| -> Result<Vec<u8>, Box<dyn Error>> {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-perfcheck"))
            .arg("perfcheck")
            .args(words)
            .current_dir(folder.join("repository"))
            .output()?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(String::from_utf8_lossy(&output.stderr).into()),
        }
    };
    program(&["history", "import", "../runs.jsonl"])?;
    let began = Instant::now();
    let page = program(&["trend", "--format", "html"])?;
    println!(
        "trend: {} commits of {BENCHMARKS} benchmarks, {:.1} MB, read, solved and rendered in {} ms",
        thousand_commits::COMMITS,
        page.len() as f64 / 1e6,
        began.elapsed().as_millis()
    );
    laid_out(&String::from_utf8_lossy(&page), "trend", folder)
}

/// The median time of opening the report's page, in milliseconds.
fn opened(report: &Report, name: &str, folder: &Path) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    let page = report::render(report, Format::Html, &RenderOptions::FILE)?;
    println!(
        "{name}: {} benchmarks, {} explained, {:.1} MB, rendered in {} ms",
        report.benchmarks.len(),
        report.attributions.len(),
        page.len() as f64 / 1e6,
        began.elapsed().as_millis()
    );
    laid_out(&page, name, folder)
}

/// The median time of opening a page, in milliseconds.
fn laid_out(page: &str, name: &str, folder: &Path) -> Result<f64, Box<dyn Error>> {
    let path = folder.join(format!("{name}.html"));
    fs_err::write(&path, page.replace("</body>", WATCH))?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        times.push(open(&path, folder)?);
    }
    times.sort_by(f64::total_cmp);
    let median = times[TIMES / 2];
    println!("{name}: loaded and laid out after {median:.0} ms (median of {times:.0?})");
    Ok(median)
}

fn open(page: &Path, folder: &Path) -> Result<f64, Box<dyn Error>> {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--no-first-run", "--disable-dev-shm-usage"])
        .arg("--window-size=1280,900")
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()?;
    let dom = String::from_utf8_lossy(&output.stdout);
    let told = dom.split("<pre id=\"ready\">").nth(1);
    let told = told.and_then(|rest| rest.split('<').next());
    Ok(told
        .ok_or("the browser did not say when the page was ready")?
        .parse()?)
}
