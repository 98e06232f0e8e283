//! Colour by meaning. Every coloured word means the same without its colour.

use anstyle::{AnsiColor, Style};

use crate::analyse::Verdict;
use crate::judge::Vote;
use crate::units::Colour;

/// What a piece of text means to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Normal,
    Heading,
    Bad,
    Good,
    Doubt,
    Quiet,
}

impl Tone {
    pub(super) fn of_verdict(verdict: Verdict) -> Tone {
        match verdict {
            Verdict::Slower | Verdict::Failed => Tone::Bad,
            Verdict::Faster => Tone::Good,
            Verdict::Inconclusive | Verdict::Removed | Verdict::Added => Tone::Doubt,
            Verdict::Unchanged | Verdict::Identical | Verdict::Unreached | Verdict::Untimed => {
                Tone::Quiet
            }
        }
    }

    pub(super) fn of_vote(vote: Vote) -> Tone {
        match vote {
            Vote::Approve => Tone::Good,
            Vote::Modify => Tone::Doubt,
            Vote::Reject => Tone::Bad,
        }
    }

    fn style(self) -> Style {
        match self {
            Tone::Normal => Style::new(),
            Tone::Heading => Style::new().bold(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Good => AnsiColor::Green.on_default().bold(),
            Tone::Doubt => AnsiColor::Yellow.on_default(),
            Tone::Quiet => Style::new().dimmed(),
        }
    }
}

/// `text` in the colour of its tone, if colour is wanted.
pub(super) fn paint(text: &str, tone: Tone, colour: Colour) -> String {
    match colour {
        Colour::Ansi if tone != Tone::Normal && !text.is_empty() => {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        }
        _ => text.to_owned(),
    }
}
