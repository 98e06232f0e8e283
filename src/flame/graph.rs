//! Flame graphs, drawn by inferno: pictures that can be zoomed and searched.

use std::collections::BTreeMap;

use inferno::flamegraph::{self, Options};

use super::{FlameError, Folded};
use crate::units::{Paired, Side};

/// Frames narrower than this percentage are left out: they could not be read.
const NARROWEST: f64 = 0.1;

/// In a differential graph, the whole time of the base side.
const WHOLE: f64 = 1e6;

/// What is written around a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caption<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below the title.
    pub subtitle: &'a str,
    /// What one of the weights is, as `samples`.
    pub unit: &'a str,
}

impl Caption<'_> {
    fn options<'o>(&self) -> Options<'o> {
        let mut options = Options::default();
        self.title.clone_into(&mut options.title);
        options.subtitle = (!self.subtitle.is_empty()).then(|| self.subtitle.to_owned());
        self.unit.clone_into(&mut options.count_name);
        options.min_width = NARROWEST;
        // The same stacks give the same picture.
        options.deterministic = true;
        options
    }
}

/// The flame graph of one side, as SVG.
///
/// # Errors
/// [`FlameError`] if there is nothing to draw.
pub(crate) fn graph(folded: &Folded, caption: Caption<'_>) -> Result<String, FlameError> {
    let lines: Vec<String> = folded.text().lines().map(str::to_owned).collect();
    draw(&mut caption.options(), &lines)
}

/// The differential flame graph, as SVG: its widths are the head side, red has become longer, blue
/// shorter. `time` is that of an iteration on each side, in any unit; weights are in millionths of the
/// base side's.
///
/// # Errors
/// [`FlameError`] if there is nothing to draw.
pub(crate) fn difference(
    sides: Paired<&Folded>,
    time: Paired<f64>,
    caption: Caption<'_>,
) -> Result<String, FlameError> {
    let scale = |side: Side| {
        let total = sides.get(side).total().max(1) as f64;
        WHOLE * (time.get(side) / time.base) / total
    };
    between(sides, Paired::from_fn(scale), Side::Head, caption)
}

/// The differential flame graph of weights that mean the same on both sides, as SVG: its widths are those of the
/// side `widths`, red has grown, blue has shrunk. Stacks that this side lacks have no width.
///
/// # Errors
/// [`FlameError`] if there is nothing to draw.
pub(crate) fn change(
    sides: Paired<&Folded>,
    widths: Side,
    caption: Caption<'_>,
) -> Result<String, FlameError> {
    between(sides, Paired::new(1.0, 1.0), widths, caption)
}

fn between(
    sides: Paired<&Folded>,
    scale: Paired<f64>,
    widths: Side,
    caption: Caption<'_>,
) -> Result<String, FlameError> {
    let mut weights: BTreeMap<String, Paired<u64>> = BTreeMap::new();
    for side in Side::BOTH {
        let folded = sides.get(side);
        for stack in &folded.stacks {
            let path = folded.path(stack);
            let entry = weights.entry(path).or_insert(Paired::new(0, 0));
            *entry.get_mut(side) += (stack.weight as f64 * scale.get(side)).round() as u64;
        }
    }
    // The second number gives the width, and the difference to the first the colour.
    let lines: Vec<String> = weights
        .into_iter()
        .map(|(path, weight)| {
            let (first, second) = (weight.get(widths.other()), weight.get(widths));
            format!("{path} {first} {second}")
        })
        .collect();
    let mut options = caption.options();
    options.negate_differentials = widths == Side::Base;
    draw(&mut options, &lines)
}

fn draw(options: &mut Options<'_>, lines: &[String]) -> Result<String, FlameError> {
    if lines.is_empty() {
        return Err(FlameError::Empty);
    }
    let failed = |reason: String| FlameError::Drawing { reason };
    let mut picture = Vec::new();
    flamegraph::from_lines(options, lines.iter().map(String::as_str), &mut picture)
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(picture).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::folded::tests::stack;
    use super::*;

    const CAPTION: Caption<'_> = Caption {
        title: "shop & <sum>",
        subtitle: "",
        unit: "samples",
    };

    #[test]
    fn a_graph_has_every_function_and_nothing_unescaped() {
        let folded = Folded::of(&[stack("run/Vec<u8>::push", 2), stack("run/f", 3)]);
        let picture = graph(&folded, CAPTION).unwrap();
        assert!(
            picture.contains("Vec&lt;u8&gt;::push (2 samples"),
            "{picture}"
        );
        assert!(picture.contains("shop &amp; &lt;sum&gt;"));
    }

    #[test]
    fn a_differential_graph_compares_times_and_not_numbers_of_samples() {
        // The same profile, sampled for twice as long: nothing has changed.
        let base = Folded::of(&[stack("run/f", 10), stack("run/g", 10)]);
        let head = Folded::of(&[stack("run/f", 20), stack("run/g", 20)]);
        let picture = difference(Paired::new(&base, &head), Paired::new(5.0, 5.0), CAPTION);
        assert!(
            picture
                .unwrap()
                .contains("f (500,000 samples, 50.00%; 0.00%)")
        );
        let picture = difference(Paired::new(&base, &head), Paired::new(5.0, 10.0), CAPTION);
        assert!(
            picture
                .unwrap()
                .contains("f (1,000,000 samples, 50.00%; +25.00%)")
        );
    }

    #[test]
    fn what_grew_is_red_and_what_shrank_is_blue_whichever_side_gives_the_widths() {
        let base = Folded::of(&[stack("run/f", 10), stack("run/g", 40)]);
        let head = Folded::of(&[stack("run/f", 30)]);
        let colour = |widths: Side, name: &str| {
            let picture = change(Paired::new(&base, &head), widths, CAPTION).unwrap();
            let frame = picture.split("<title>").find(|rest| rest.starts_with(name));
            let frame = frame.unwrap_or_else(|| panic!("{name} in {picture}"));
            let numbers = frame.split("fill=\"rgb(").nth(1).unwrap().split(')').next();
            let numbers = numbers.unwrap().split(',');
            let numbers: Vec<u8> = numbers.map(|n| n.trim().parse().unwrap()).collect();
            (numbers[0], numbers[2])
        };
        for widths in Side::BOTH {
            let (red, blue) = colour(widths, "f (");
            assert!(red > blue, "{widths} {red} {blue}");
        }
        let (red, blue) = colour(Side::Base, "g (");
        assert!(red < blue, "{red} {blue}");
    }

    #[test]
    fn nothing_is_no_picture() {
        assert!(matches!(
            graph(&Folded::of(&[]), CAPTION),
            Err(FlameError::Empty)
        ));
    }
}
