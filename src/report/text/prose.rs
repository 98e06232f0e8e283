//! The text below the table: why something failed, what limits the numbers, how they were measured,
//! and the vote.

use unicode_width::UnicodeWidthStr as _;

use super::TextPage;
use super::paint::Tone;
use crate::judge::ClaimStanding;
use crate::report::escape::{shortened, visible};
use crate::report::findings::{self, Finding, FindingKind};
use crate::report::{claims, partial, sentence, unseen, words};
use crate::units::command_line;

/// The most entries of each kind that are listed.
const ENTRIES: usize = 12;
/// This many on a screen.
const ON_A_SCREEN: usize = 3;
/// On a screen, the most lines of a failed benchmark's last output.
const STDERR_LINES: usize = 4;

/// The longest entry: a name can be longer.
const LONGEST: usize = 400;

impl TextPage<'_> {
    pub(super) fn failures(&self, out: &mut String) {
        let failed = self
            .report
            .benchmarks
            .iter()
            .filter(|c| c.failure.is_some());
        let most = self.most(ON_A_SCREEN).min(ENTRIES);
        for comparison in failed.clone().take(most) {
            let Some(failure) = &comparison.failure else {
                continue;
            };
            let reason = shortened(&visible(&failure.reason), LONGEST);
            let text = format!(
                "{}: the {} side {reason}",
                self.name(comparison),
                failure.side
            );
            out.push_str(&self.block(&text, 0, Tone::Bad));
            let lines: Vec<&str> = failure.stderr_tail.lines().collect();
            let skipped = lines.len().saturating_sub(self.most(STDERR_LINES));
            for line in &lines[skipped..] {
                out.push_str(&format!("    {}\n", shortened(&visible(line), LONGEST)));
            }
            out.push('\n');
        }
        let more = failed.count().saturating_sub(most);
        if more > 0 {
            let more = words::benchmarks(more);
            let place = self.elsewhere();
            out.push_str(&format!("… {more} more failed: {place}\n\n"));
        }
    }

    pub(super) fn claims(&self, out: &mut String) {
        let all = &self.report.claims;
        for check in all.iter().take(ENTRIES) {
            let symbol = claims::symbol(check.standing, self.options.charset);
            let text = format!(
                "{symbol} claim {}",
                shortened(&claims::words(check), LONGEST)
            );
            let tone = match check.standing {
                ClaimStanding::Shown => Tone::Quiet,
                ClaimStanding::Unshown => Tone::Doubt,
                ClaimStanding::Contradicted => Tone::Bad,
            };
            out.push_str(&self.block(&text, 0, tone));
        }
        if all.len() > ENTRIES {
            out.push_str(&format!("… and {} more claims\n", all.len() - ENTRIES));
        }
        if !all.is_empty() {
            out.push('\n');
        }
    }

    /// Everything that limits what the numbers say.
    pub(super) fn doubts(&self, out: &mut String) {
        let found = findings::of(self.report);
        let mut doubts = Vec::new();
        let told = |f: &Finding| format!("{}: {}", shortened(&f.subject, 80), f.text);
        // On a screen, the table and the text below it have already said so.
        let is_news = |f: &&Finding| !self.is_screen() || f.kind == FindingKind::Other;
        let needed: Vec<&Finding> = found.needed.iter().filter(is_news).collect();
        self.entries(&mut doubts, "risk", &found.risks, told);
        self.entries(&mut doubts, "history", &found.history, told);
        self.entries(&mut doubts, "unknown", &needed, |f| told(f));
        self.entries(&mut doubts, "note", &found.notes, told);
        let text = |text: &String| visible(text);
        self.entries(&mut doubts, "confounder", &self.report.confounders, text);
        self.entries(&mut doubts, "warning", &self.report.warnings, text);
        for doubt in &doubts {
            out.push_str(&self.wrapped(doubt, 2));
        }
        if !doubts.is_empty() {
            out.push('\n');
        }
    }

    fn entries<T>(
        &self,
        out: &mut Vec<String>,
        label: &str,
        all: &[T],
        text: impl Fn(&T) -> String,
    ) {
        let most = self.most(ON_A_SCREEN).min(ENTRIES);
        let longest = self.most(2 * self.options.width).min(LONGEST);
        let shown = all.iter().take(most);
        out.extend(shown.map(|entry| format!("{label}: {}", shortened(&text(entry), longest))));
        if all.len() > most {
            let more = all.len() - most;
            out.push(format!("{label}: {more} more, {}", self.elsewhere()));
        }
    }

    /// Where the rest can be read.
    fn elsewhere(&self) -> &'static str {
        match self.is_screen() {
            true => "with `--verbose`",
            false => "in every other format",
        }
    }

    pub(super) fn method(&self, out: &mut String) {
        let method = &self.report.methodology;
        if self.is_screen() {
            self.method_in_short(out);
        } else if method.family_size > 0 {
            let text = format!(
                "medians over all samples; change = head / base; threshold ±{}; up to {} for {}; seed {}; {}",
                words::share(method.threshold),
                words::plural(method.max_rounds, "round", "rounds"),
                words::benchmarks(method.family_size),
                method.seed,
                visible(&method.correction),
            );
            out.push_str(&self.paint(&self.wrapped(&text, 0), Tone::Quiet));
        }
        if let Some(unseen) = unseen::modes(self.report).filter(|_| !self.is_screen()) {
            let text = self.wrapped(&unseen, 0);
            out.push_str(&self.paint(&text, Tone::Quiet));
        }
        if let Some(part) = method.partition {
            let text = self.wrapped(&words::part(part), 0);
            out.push_str(&self.paint(&text, Tone::Quiet));
        }
        let command = command_line(method.command_line.iter().map(String::as_str));
        out.push_str(&format!(
            "reproduce: cargo perfcheck {}\n\n",
            visible(&command)
        ));
    }

    /// What the reader must know to understand the numbers.
    fn method_in_short(&self, out: &mut String) {
        let method = &self.report.methodology;
        if method.family_size == 0 {
            return;
        }
        let text = format!(
            "medians; threshold ±{}; seed {}; `--verbose` has the method and everything left out here",
            words::share(method.threshold),
            method.seed
        );
        out.push_str(&self.paint(&self.wrapped(&text, 0), Tone::Quiet));
    }

    /// Says that the report is partial, so that no one mistakes a part for the whole.
    pub(super) fn partial(&self, out: &mut String) {
        if let Some(sentence) = partial::sentence(self.report) {
            let text = format!("PARTIAL REPORT  {}", visible(&sentence));
            out.push_str(&self.paint(&self.wrapped(&text, 2), Tone::Bad));
            out.push('\n');
        }
    }

    pub(super) fn vote(&self, out: &mut String) {
        let word = words::vote_word(self.report.decision.vote).to_uppercase();
        let text = self.wrapped(
            &format!("{word}  {}", sentence::of(self.report)),
            word.len() + 2,
        );
        // The word is coloured after wrapping, since an escape sequence has no width.
        let rest = text.strip_prefix(&word).unwrap_or_default();
        out.push_str(&self.paint(&word, Tone::of_vote(self.report.decision.vote)));
        out.push_str(rest);
        let tally = words::tally(self.report);
        out.push_str(&self.block(&tally, word.len() + 2, Tone::Normal));
    }

    /// `text` broken at spaces to the width; following lines are indented.
    pub(super) fn wrapped(&self, text: &str, indent: usize) -> String {
        let lines = lines(text, self.options.width, indent);
        let indented = lines.join(&format!("\n{}", " ".repeat(indent)));
        indented + "\n"
    }

    /// `text` broken at spaces to the width, every line indented.
    pub(super) fn block(&self, text: &str, indent: usize, tone: Tone) -> String {
        let width = self.options.width.saturating_sub(indent);
        let lines = lines(text, width, 0).into_iter();
        lines
            .map(|line| format!("{}{}\n", " ".repeat(indent), self.paint(&line, tone)))
            .collect()
    }
}

/// `text` broken at spaces; every line except the first is `indent` columns shorter.
fn lines(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let wide = word.width();
        if !line.is_empty() {
            if column + 1 + wide > width {
                lines.push(std::mem::take(&mut line));
                column = indent;
            } else {
                line.push(' ');
                column += 1;
            }
        }
        line.push_str(word);
        column += wide;
    }
    lines.push(line);
    lines
}
