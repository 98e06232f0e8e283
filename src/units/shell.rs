//! Words as they are typed into a POSIX shell. All quoting is done here.

/// A word that a shell reads as it is.
pub(crate) fn quoted(word: &str) -> String {
    // An equals sign is special at the beginning only, and quotes around `old=new` only distract.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('=') {
        return word.to_owned();
    }
    // `shlex` refuses words with a NUL, which cannot be an argument of any program.
    shlex::try_quote(word).map_or_else(|_| word.replace('\0', ""), |quoted| quoted.into_owned())
}

/// `words` joined so that a shell splits them into the same words again.
pub(crate) fn command_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(quoted).collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::command_line;

    #[test]
    fn a_shell_splits_a_command_line_into_the_same_words() {
        let words = [
            "main..HEAD",
            "--filter",
            "^it's a$",
            "",
            "~/x",
            "$(id)",
            "a=b",
            "größe",
        ];
        let line = command_line(words);
        assert_eq!(shlex::split(&line).unwrap(), words);
        let script = format!("printf '%s\\n' {line}");
        let shell = std::process::Command::new("sh")
            .args(["-c", &script])
            .output();
        let printed = String::from_utf8(shell.unwrap().stdout).unwrap();
        assert_eq!(printed.lines().collect::<Vec<_>>(), words);
        assert!(line.starts_with("main..HEAD --filter "), "{line}");
    }
}
