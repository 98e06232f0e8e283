//! Flame graphs within the page.
//!
//! Each is a separate document in a sandboxed frame: inferno's pictures bring scripts (zoom, search)
//! and identifiers that would clash with the page's and with each other's, and the frame keeps both
//! apart. The frame's document is in an attribute, so nothing is loaded from anywhere.

use maud::{Markup, html};

use crate::attribute::{self, Attribution};
use crate::report::escape::visible;

/// The most benchmarks whose graphs are in the page, which must open at once.
pub(super) const IN_PAGE: usize = 12;
/// How inferno's pictures start.
const START: &str = "onload=\"init(evt)\"";
/// How they start in a frame. Within a closed fold it has no width, and there is nothing to lay out until it gets
/// one. Inferno keeps its state in the address, which the frame must not change.
const IN_FRAME: &str = "<script>history.replaceState = () => {};
function start(event) {
  const wide = () => {
    if (innerWidth === 0) return;
    removeEventListener('resize', wide);
    init(event);
  };
  addEventListener('resize', wide);
  wide();
}</script>";
/// The height of a frame whose picture does not specify one.
const HEIGHT: u32 = 600;

/// The graphs of a benchmark, the differential one first.
pub(super) fn graphs(attribution: &Attribution) -> Markup {
    let mut graphs = attribute::graphs(attribution);
    graphs.reverse();
    html! {
        @for (name, picture) in &graphs {
            details {
                summary { (heading(name)) }
                // Modals are allowed, since the pictures ask for the search term.
                iframe.flame sandbox="allow-scripts allow-modals" loading="lazy" title=(heading(name))
                    style={ "height:" (height(picture) + 16) "px" } srcdoc=(document(picture)) {}
            }
        }
    }
}

fn heading(name: &str) -> &'static str {
    match name {
        "base" => "Flame graph of the base side",
        "head" => "Flame graph of the head side",
        _ => "Differential flame graph: red takes longer on the head side, blue less",
    }
}

/// The picture as a page, without what precedes its root element, which only files need.
fn document(picture: &str) -> String {
    let start = picture.find("<svg").unwrap_or(0);
    format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><style>body{{margin:0}}svg{{width:100%;height:auto}}</style>{IN_FRAME}{}",
        harmless(&picture[start..]).replacen(START, "onload=\"start(evt)\"", 1)
    )
}

/// The names in the picture are escaped, but characters that hide or reorder others are not: this removes them.
fn harmless(picture: &str) -> String {
    let lines: Vec<String> = picture.lines().map(visible).collect();
    lines.join("\n")
}

/// The height that the root element specifies.
fn height(picture: &str) -> u32 {
    let start = picture.find("<svg").unwrap_or(0);
    let root = picture[start..].split('>').next().unwrap_or_default();
    let value = root.split(" height=\"").nth(1);
    let value = value.and_then(|rest| rest.split('"').next());
    value
        .and_then(|number| number.parse().ok())
        .unwrap_or(HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_high_as_its_picture() {
        let picture = "<?xml version=\"1.0\"?><svg width=\"1200\" height=\"230\"><g/></svg>";
        assert_eq!(height(picture), 230);
        assert_eq!(height("<svg/>"), HEIGHT);
        assert!(
            document(picture).ends_with("</script><svg width=\"1200\" height=\"230\"><g/></svg>")
        );
    }
}
