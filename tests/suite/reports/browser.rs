//! The page in headless Chromium, opened from disk: sorted, searched, opened, in the dark, on a
//! narrow screen, and without scripts. `PERFCHECK_SCREENSHOTS` names a folder that keeps pictures.
//!
//! Without Chromium the tests say that they are skipped; with `PERFCHECK_BROWSER=required` they fail.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_perfcheck::plan::Format;
use cargo_perfcheck::report::Report;
use serde_json::Value;

use super::{cases, render};

/// A browser, and a folder that it may write to.
pub(crate) struct Browser {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Browser {
    /// `None`, said aloud, where there is no browser.
    pub(crate) fn find(test: &str) -> Option<Browser> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let program = std::env::split_paths(&path)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|program| program.is_file());
        let Some(program) = program else {
            let required = std::env::var("PERFCHECK_BROWSER").is_ok_and(|v| v == "required");
            assert!(!required, "{test}: Chromium is required and not installed");
            // Past the harness, which would swallow it: a skipped test must be seen.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("SKIPPED {test}: Chromium is not installed\n").as_bytes(),
            );
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        Some(Browser { program, folder })
    }

    fn command(&self, page: &Path, options: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args([
                "--no-first-run",
                "--disable-dev-shm-usage",
                "--enable-logging=stderr",
            ])
            .arg(format!(
                "--user-data-dir={}",
                self.folder.path().join("profile").display()
            ))
            .args(options)
            .arg(format!("file://{}", page.display()));
        command
    }

    /// What the browser makes of a picture, which it opens as a document of its own: its elements after
    /// its script has run, once a screenshot was taken, too.
    pub(crate) fn open(&self, name: &str, picture: &[u8]) -> String {
        let path = self.folder.path().join(format!("{name}.svg"));
        fs_err::write(&path, picture).expect("it can be written");
        let shown = self.folder.path().join(format!("{name}.png"));
        let screenshot = format!("--screenshot={}", shown.display());
        let run = |options: &[&str]| {
            let output = self.command(&path, options).output();
            output.expect("the browser starts")
        };
        run(&[&screenshot]);
        assert!(fs_err::metadata(&shown).is_ok_and(|file| file.len() > 1000));
        String::from_utf8_lossy(&run(&["--dump-dom"]).stdout).into_owned()
    }

    /// A picture of a page, so many pixels wide and high.
    pub(crate) fn photograph(&self, page: &str, (width, height): (u32, u32), file: &Path) {
        let path = self.folder.path().join("photographed.html");
        fs_err::write(&path, page).expect("it can be written");
        let size = format!("--window-size={width},{height}");
        let screenshot = format!("--screenshot={}", file.display());
        let output = self.command(&path, &[&size, &screenshot]).output();
        let output = output.expect("the browser starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(file.is_file(), "{errors}");
    }

    /// What `script` returns on a page.
    pub(crate) fn ask_page(&self, page: &str, script: &str) -> Value {
        self.answer(&self.with_script(page, script), &[])
    }

    /// The page of `report` with `script` run at its end.
    fn page(&self, report: &Report, script: &str) -> PathBuf {
        self.with_script(&render(report, Format::Html), script)
    }

    fn with_script(&self, page: &str, script: &str) -> PathBuf {
        let script = format!(
            "<script>{{ const out = (() => {{ {script} }})(); const pre = document.createElement('pre'); \
             pre.id = 'result'; pre.textContent = JSON.stringify(out); document.body.append(pre); }}</script></body>"
        );
        let path = self.folder.path().join("page.html");
        fs_err::write(&path, page.replace("</body>", &script)).expect("it can be written");
        path
    }

    /// What `script` returns on the page of `report`, with the options given to the browser.
    fn ask(&self, report: &Report, options: &[&str], script: &str) -> Value {
        self.answer(&self.page(report, script), options)
    }

    /// As [`Browser::ask`], 360 pixels wide: headless Chromium has no window narrower than 500, so
    /// the page stands in a frame.
    fn ask_phone(&self, report: &Report, script: &str) -> Value {
        let page = fs_err::read_to_string(self.page(report, script)).expect("it was written");
        let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
        let frame = format!(
            "<!DOCTYPE html><body><iframe id=f width=360 height=800 style=\"border:0\" srcdoc=\"{quoted}\"></iframe>\
             <script>document.getElementById('f').onload = (e) => document.body.append(\
             document.importNode(e.target.contentDocument.getElementById('result'), true));</script></body>"
        );
        let path = self.folder.path().join("frame.html");
        fs_err::write(&path, frame).expect("it can be written");
        self.answer(&path, &[])
    }

    /// What stands in the page's result after it was loaded without a word on the console.
    fn answer(&self, page: &Path, options: &[&str]) -> Value {
        let mut options = options.to_vec();
        options.push("--dump-dom");
        let output = self
            .command(page, &options)
            .output()
            .expect("the browser starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        let console: Vec<&str> = errors.lines().filter(|l| l.contains("CONSOLE")).collect();
        assert!(console.is_empty(), "{console:#?}");
        let dom = String::from_utf8_lossy(&output.stdout);
        let result = dom
            .split("<pre id=\"result\">")
            .nth(1)
            .and_then(|r| r.split("</pre>").next());
        let result = result.unwrap_or_else(|| panic!("no result in {dom}\n{errors}"));
        let text = result
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        serde_json::from_str(&text).expect("JSON")
    }

    /// What `script` returns within the page's first flame graph, once it is drawn: the frame's document
    /// cannot be reached from outside, so it sends the answer itself.
    fn ask_flames(&self, report: &Report, script: &str) -> Value {
        let page = render(report, Format::Html);
        let start = page.find(" srcdoc=\"").expect("a flame graph") + " srcdoc=\"".len();
        let end = start + page[start..].find('"').expect("the document ends");
        // The picture starts once its frame has a width, and lays itself out a moment later.
        let inside = format!(
            "<script>{{ const look = () => window.unzoombtn \
             ? setTimeout(() => parent.postMessage((() => {{ {script} }})(), '*'), 50) \
             : setTimeout(look, 20); look(); }}</script>"
        );
        let inside = inside
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;");
        let outside = "<script>addEventListener('message', (e) => { const pre = document.createElement('pre'); \
             pre.id = 'result'; pre.textContent = JSON.stringify(e.data); document.body.append(pre); }); \
             for (const d of document.querySelectorAll('details.explained, details.explained details')) d.open = true; \
             document.querySelector('iframe').scrollIntoView();</script></body>";
        let page = format!("{}{inside}{}", &page[..end], &page[end..]);
        let path = self.folder.path().join("flames.html");
        fs_err::write(&path, page.replace("</body>", outside)).expect("it can be written");
        // Chromium gives a sandboxed frame a process of its own, for whose start virtual time does not wait.
        let one_process = "--disable-features=IsolateSandboxedIframes";
        self.answer(&path, &["--virtual-time-budget=10000", one_process])
    }

    /// A picture of the page, kept where `PERFCHECK_SCREENSHOTS` says.
    fn picture(&self, name: &str, report: &Report, script: &str, options: &[&str]) {
        let page = self.page(report, script);
        let folder = std::env::var_os("PERFCHECK_SCREENSHOTS").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| self.folder.path().to_owned());
        fs_err::create_dir_all(&folder).expect("it can be made");
        let file = folder.join(format!("{name}.png"));
        let screenshot = format!("--screenshot={}", file.display());
        let mut options = options.to_vec();
        options.push(&screenshot);
        let output = self
            .command(&page, &options)
            .output()
            .expect("the browser starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(file.is_file(), "{errors}");
        assert!(!errors.contains("CONSOLE"), "{name}: {errors}");
    }
}

const VISIBLE: &str = "const visible = () => [...document.querySelectorAll('#rows > details')].filter(d => !d.hidden).map(d => d.dataset.name);";

const FIRE: &str = "const set = (id, value, event) => { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event(event)); };";

#[test]
fn the_page_sorts_searches_filters_and_opens() {
    let Some(browser) = Browser::find("the_page_sorts_searches_filters_and_opens") else {
        return;
    };
    let script = format!(
        "{VISIBLE} {FIRE} const all = visible();
         set('search', 'PARSE', 'input'); const found = visible();
         set('search', 'nowhere', 'input'); const none = visible();
         set('search', '', 'input'); set('verdict', 'unchanged', 'change'); const unchanged = visible();
         set('verdict', '', 'change'); set('order', 'name', 'change'); const named = visible();
         set('order', 'faster', 'change'); const faster = visible();
         const first = document.querySelector('#rows > details'); first.querySelector('summary').click();
         document.dispatchEvent(new KeyboardEvent('keydown', {{ key: '/' }})); const focused = document.activeElement.id;
         return {{ all, found, none, unchanged, named, faster, focused, opened: first.open, inside: first.querySelector('.inside').innerText.length }};"
    );
    let answer = browser.ask(&cases::one_regression(), &[], &script);
    assert_eq!(answer["all"][0], "parse/large");
    assert_eq!(
        answer["found"],
        serde_json::json!(["parse/large", "parse/small"])
    );
    assert_eq!(answer["none"], serde_json::json!([]));
    assert_eq!(
        answer["unchanged"],
        serde_json::json!(["print/pretty", "print/compact"])
    );
    assert_eq!(answer["named"][0], "docs");
    assert_eq!(answer["faster"][0], "parse/small");
    assert_eq!(answer["opened"], true);
    assert_eq!(answer["focused"], "search");
    assert!(answer["inside"].as_u64() > Some(200), "{answer}");
}

#[test]
fn an_opened_benchmark_leads_to_what_its_change_comes_from() {
    let Some(browser) = Browser::find("an_opened_benchmark_leads_to_what_its_change_comes_from")
    else {
        return;
    };
    let script = "for (const d of document.querySelectorAll('details.explained')) d.open = false;
         const first = document.querySelector('#rows > details'); first.open = true;
         const link = first.querySelector('.inside a'); link.click();
         const told = document.querySelector(link.getAttribute('href'));
         return { name: first.dataset.name, culprit: first.querySelector('.culprit').textContent,
             open: told.closest('details').open, source: told.querySelector('pre.diff').textContent,
             frames: told.querySelectorAll('iframe').length };";
    let answer = browser.ask(&cases::demo(), &[], script);
    assert_eq!(answer["name"], "readings::readings checksum/4 KiB");
    assert_eq!(answer["culprit"], "mostly in readings::checksum::checksum");
    assert_eq!(answer["open"], true);
    let source = answer["source"].as_str().expect("text");
    assert!(
        source.contains("for &byte in &block[block.len() / 2..] {"),
        "{source}"
    );
    assert_eq!(answer["frames"], 3);
}

#[test]
fn a_flame_graph_zooms_into_the_function_that_is_clicked() {
    let Some(browser) = Browser::find("a_flame_graph_zooms_into_the_function_that_is_clicked")
    else {
        return;
    };
    let script = "const frames = [...document.querySelectorAll('#frames > g')];
         const wanted = frames.find(g => g.textContent.includes('wrapping_mul'));
         const width = () => wanted.querySelector('rect').getBoundingClientRect().width;
         const all = document.getElementById('frames').getBoundingClientRect().width;
         const before = width();
         wanted.dispatchEvent(new MouseEvent('click', { bubbles: true }));
         return { all, before, after: width(), back: !document.getElementById('unzoom').classList.contains('hide') };";
    let answer = browser.ask_flames(&cases::demo(), script);
    let width = |of: &str| answer[of].as_f64().expect("a number");
    assert!(width("before") < 0.9 * width("all"), "{answer}");
    assert!(width("after") > 0.99 * width("all"), "{answer}");
    assert_eq!(answer["back"], true);
}

#[test]
fn nothing_overflows_a_narrow_screen_and_no_hostile_name_runs() {
    let Some(browser) = Browser::find("nothing_overflows_a_narrow_screen_and_no_hostile_name_runs")
    else {
        return;
    };
    let script = "for (const d of document.querySelectorAll('details')) d.open = true;
         const wide = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && !e.closest('pre.diff span') && !e.closest('svg') && e.getBoundingClientRect().right > 360).map(e => e.tagName + '.' + e.className);
         return { width: innerWidth, wide: wide.slice(0, 5), images: document.images.length, scripts: document.scripts.length, page: document.documentElement.scrollWidth,
             links: [...document.links].filter(a => !a.getAttribute('href').startsWith('#')).length };";
    for report in [
        cases::one_regression(),
        cases::hostile(),
        cases::failed_added_removed(),
        cases::budgets(),
        cases::demo(),
    ] {
        let answer = browser.ask_phone(&report, script);
        assert_eq!(answer["width"], 360);
        assert_eq!(answer["page"], 360);
        assert_eq!(answer["wide"], serde_json::json!([]));
        assert_eq!(
            (&answer["images"], &answer["links"]),
            (&0.into(), &0.into())
        );
        // The page's own, and this test's.
        assert_eq!(answer["scripts"], 2);
    }
}

#[test]
fn the_page_has_colours_for_the_dark() {
    let Some(browser) = Browser::find("the_page_has_colours_for_the_dark") else {
        return;
    };
    let script = "return getComputedStyle(document.body).backgroundColor;";
    let light = browser.ask(
        &cases::one_regression(),
        &["--blink-settings=preferredColorScheme=1"],
        script,
    );
    let dark = browser.ask(
        &cases::one_regression(),
        &["--blink-settings=preferredColorScheme=0"],
        script,
    );
    assert_eq!(light, "rgb(255, 255, 255)");
    assert_ne!(light, dark);
}

#[test]
fn a_thousand_benchmarks_are_searched_and_sorted() {
    let Some(browser) = Browser::find("a_thousand_benchmarks_are_searched_and_sorted") else {
        return;
    };
    let script = format!(
        "{VISIBLE} {FIRE} const all = visible().length;
         set('search', '999x999', 'input'); const found = visible().length;
         set('search', '', 'input'); set('order', 'slower', 'change');
         return {{ all, found, shown: document.getElementById('shown').textContent }};"
    );
    let answer = browser.ask(&cases::thousand(), &[], &script);
    assert_eq!(answer["all"], 1000);
    assert_eq!(answer["found"], 1);
    assert_eq!(answer["shown"], "1000 of 1000");
}

#[test]
fn without_scripts_everything_is_there_and_no_control_that_does_nothing() {
    let Some(browser) = Browser::find("without_scripts_everything_is_there") else {
        return;
    };
    let script = "document.querySelector('#rows > details').open = true;
         return { controls: getComputedStyle(document.querySelector('.controls')).display,
             rows: document.querySelectorAll('#rows > details').length,
             inside: document.querySelector('.inside').innerText.length };";
    let page = browser.page(&cases::one_regression(), script);
    let text = fs_err::read_to_string(&page).expect("it was written");
    let start = text
        .find("<script>\"use strict\"")
        .expect("the page's own script");
    let end = start + text[start..].find("</script>").expect("it ends");
    fs_err::write(&page, format!("{}{}", &text[..start], &text[end..])).expect("it can be written");
    let answer = browser.answer(&page, &[]);
    assert_eq!(answer["controls"], "none");
    assert_eq!(answer["rows"], 6);
    assert!(answer["inside"].as_u64() > Some(200), "{answer}");
}

#[test]
fn pictures_of_the_page_are_taken() {
    let Some(browser) = Browser::find("pictures_of_the_page_are_taken") else {
        return;
    };
    let open = "document.querySelector('#rows > details').open = true; return 1;";
    let report = cases::one_regression();
    let size = "--window-size=1280,1500";
    browser.picture(
        "light",
        &report,
        open,
        &[size, "--blink-settings=preferredColorScheme=1"],
    );
    browser.picture(
        "dark",
        &report,
        open,
        &[size, "--blink-settings=preferredColorScheme=0"],
    );
    browser.picture("narrow", &report, open, &["--window-size=500,2400"]);
    browser.picture(
        "budgets",
        &cases::budgets(),
        "return 1;",
        &["--window-size=1280,1200"],
    );
    browser.picture("thousand", &cases::thousand(), "return 1;", &[size]);
    let unfold = "document.querySelectorAll('details.explained').forEach((d, i) => { d.open = i === 0; });
         document.querySelectorAll('details.explained[open] details').forEach(d => { d.open = true; }); return 1;";
    for (name, scheme) in [("demo", 1), ("demo-dark", 0)] {
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        let size = "--window-size=1280,3400";
        browser.picture(name, &cases::demo(), unfold, &[size, &scheme]);
    }
    browser.picture(
        "hostile",
        &cases::hostile(),
        "return 1;",
        &["--window-size=1280,2600"],
    );
}
