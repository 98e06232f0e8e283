//! The pictures of the README: `just pictures` takes them of the recorded report of the demo.

use std::path::{Path, PathBuf};

use cargo_perfcheck::plan::Format;

use super::browser::Browser;
use super::{cases, github_markdown, render};

/// The largest size of both pictures together, so that the README loads fast.
const MOST_BYTES: u64 = 400_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/img")
}

/// How GitHub sets a comment, roughly.
const STYLE: &str = "body{margin:16px;font:14px/1.5 -apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif;\
    color:#1f2328}.box{border:1px solid #d0d7de;border-radius:6px}.top{background:#f6f8fa;padding:8px 16px;\
    border-bottom:1px solid #d0d7de;border-radius:6px 6px 0 0;color:#59636e}.body{padding:16px}\
    table{border-collapse:collapse;display:block;margin-bottom:16px}th,td{border:1px solid #d0d7de;padding:6px 13px}\
    tr:nth-child(2n){background:#f6f8fa}code{background:#818b981f;border-radius:6px;padding:.2em .4em;\
    font:85% ui-monospace,'DejaVu Sans Mono',monospace}pre{background:#f6f8fa;padding:16px;border-radius:6px}\
    pre code{background:none;padding:0}h2{border-bottom:1px solid #d0d7de;padding-bottom:.3em;margin-top:0}";

#[test]
#[ignore = "writes docs/img: `just pictures`"]
fn take_the_pictures_of_the_readme() {
    let browser = Browser::find("pictures").expect("Chromium takes them");
    fs_err::create_dir_all(folder()).expect("it can be made");
    let page = render(&cases::demo(), Format::Html);
    browser.photograph(&page, (1100, 1000), &folder().join("page.png"));
    let comment = github_markdown::html(&render(&cases::demo(), Format::Markdown));
    // The first fold is open, as a reader would have it.
    let comment = comment.replacen("<details>", "<details open>", 1);
    // Not every machine has a font with this sign.
    let comment = comment.replacen('🔴', "<span style=color:#d1242f>●</span>", 1);
    let comment = format!(
        "<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style><div class=box><div class=top><b>github-actions</b> \
         commented</div><div class=body>{comment}</div></div>"
    );
    browser.photograph(&comment, (1100, 1000), &folder().join("comment.png"));
}

#[test]
fn the_readme_shows_pictures_that_load_at_once() {
    let readme = fs_err::read_to_string("README.md").expect("there is one");
    let mut bytes = 0;
    for name in ["page.png", "comment.png"] {
        assert!(readme.contains(&format!("(docs/img/{name})")), "{name}");
        let picture = fs_err::read(folder().join(name)).expect("`just pictures` took it");
        assert!(picture.starts_with(b"\x89PNG"), "{name}");
        bytes += picture.len() as u64;
    }
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
}
