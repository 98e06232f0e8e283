//! Words as they are typed into a POSIX shell.

/// `words` joined so that a shell splits them into the same words again.
pub(super) fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(quote).collect();
    quoted.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+~^".contains(c);
    // A leading tilde is a home folder, a leading caret or equals sign a surprise in some shells.
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with(['~', '^', '=']) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn only_words_that_a_shell_would_change_are_quoted() {
        assert_eq!(
            join(["main..HEAD", "--seed", "7", "--filter", "^it's$", ""]),
            r"main..HEAD --seed 7 --filter '^it'\''s$' ''"
        );
    }
}
