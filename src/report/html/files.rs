//! Plots as separate files, for the artifact of a run.

use maud::{Markup, html};

use super::plot;
use crate::attribute::{Artifact, Folders};
use crate::report::Report;
use crate::report::words::{self, Naming};

/// Turns a picture of the page into a document, with its own colours for light and dark, and its title.
pub(super) fn file(picture: Markup, width: u32, title: &str) -> String {
    let style = include_str!("plot.css");
    let text = picture.into_string();
    let (open, rest) = text.split_once('>').unwrap_or((&text, ""));
    let title = html! { title { (title) } }.into_string();
    // Without the colour scheme, a viewer in dark mode would draw light lines on white.
    format!(
        "{open} xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\">{title}<style>:root {{ color-scheme: light dark; }}\n{style}</style>{rest}\n"
    )
}

/// For every benchmark whose time a reader wants to see: its samples, its rounds, and their levels,
/// at `<package>/<target>/<id>/<samples|rounds|levels>.svg`.
pub(in crate::report) fn plots(report: &Report) -> Vec<Artifact> {
    let naming = Naming::of(report);
    let threshold = report.methodology.threshold;
    let mut files = Vec::new();
    let folders = Folders::of(report.benchmarks.iter().map(|comparison| &comparison.key));
    let notable = words::ordered(report).into_iter();
    for comparison in notable.filter(|c| words::is_notable(c)) {
        let Some(time) = comparison.time() else {
            continue;
        };
        let folder = folders.get(&comparison.key);
        let name = naming.name(&comparison.key);
        let pictures = [
            ("samples", plot::distributions(time)),
            ("rounds", plot::rounds(time, threshold)),
            ("levels", plot::levels(time)),
        ];
        for (what, picture) in pictures {
            if let Some(picture) = picture {
                let bytes = file(picture, 640, &format!("{name}: {what}")).into_bytes();
                let path = folder.join(format!("{what}.svg"));
                files.push(Artifact { path, bytes });
            }
        }
    }
    files
}
