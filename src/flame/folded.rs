//! Stacks as names, from which flame graphs are drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::Stack;

/// Stacks whose frames are names; each name is there once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// The names.
    pub frames: Vec<String>,
    /// The stacks.
    pub stacks: Vec<FoldedStack>,
}

/// One stack of a [`Folded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldedStack {
    /// Indices of names, the outermost first.
    pub frames: Vec<usize>,
    /// What was counted.
    pub weight: u64,
}

impl Folded {
    /// Stacks with the same names become one.
    #[must_use]
    pub fn of(stacks: &[Stack]) -> Folded {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let mut frames: Vec<String> = Vec::new();
        let mut merged: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
        for stack in stacks {
            let indices = stack.frames.iter().rev().map(|frame| {
                *known.entry(&frame.function).or_insert_with(|| {
                    frames.push(frame.function.clone());
                    frames.len() - 1
                })
            });
            *merged.entry(indices.collect()).or_default() += stack.weight;
        }
        let stacks = merged.into_iter();
        Folded {
            frames,
            stacks: stacks
                .map(|(frames, weight)| FoldedStack { frames, weight })
                .collect(),
        }
    }

    /// Everything that was counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.stacks.iter().map(|stack| stack.weight).sum()
    }

    /// One stack per line, names separated by `;`, the outermost first, then a space and the weight:
    /// what `flamegraph.pl`, inferno and speedscope read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for stack in &self.stacks {
            let _ = writeln!(text, "{} {}", self.path(stack), stack.weight);
        }
        text
    }

    /// The names of a stack, separated by `;`. Characters that would end a name or a line are replaced.
    pub(super) fn path(&self, stack: &FoldedStack) -> String {
        let names = stack
            .frames
            .iter()
            .filter_map(|&index| self.frames.get(index));
        let names: Vec<String> = names
            .map(|name| name.replace(';', ":").replace(char::is_control, " "))
            .collect();
        names.join(";")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::binary::Frame;

    pub(crate) fn stack(path: &str, weight: u64) -> Stack {
        let frame = |name: &str| Frame {
            function: name.to_owned(),
            file: Some(format!("src/{}.rs", name.len()).into()),
            line: Some(name.len() as u32),
        };
        Stack {
            frames: path.split('/').rev().map(frame).collect(),
            weight,
        }
    }

    #[test]
    fn stacks_of_the_same_names_are_one_line() {
        let folded = Folded::of(&[stack("run/f", 2), stack("run/f/g", 3), stack("run/f", 5)]);
        assert_eq!(folded.frames, ["run", "f", "g"]);
        assert_eq!(folded.text(), "run;f 7\nrun;f;g 3\n");
        assert_eq!(folded.total(), 10);
    }

    #[test]
    fn no_name_breaks_the_format() {
        let folded = Folded::of(&[stack("run/copy<[u8; 4]>\n", 1)]);
        assert_eq!(folded.text(), "run;copy<[u8: 4]>  1\n");
    }
}
