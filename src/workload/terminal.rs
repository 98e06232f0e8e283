//! Programs that need a terminal, by what they say where they have none.

/// What the system, and programs, say where a stream is no terminal, or there is none to open.
const SAID: [&str; 9] = [
    // ENOTTY, as glibc, musl and others put it.
    "inappropriate ioctl for device",
    "not a tty",
    "(os error 25)",
    "not a terminal",
    "not a typewriter",
    "isn't a terminal",
    "requires a terminal",
    "no tty",
    "/dev/tty",
];

/// Whether the last words of a program that failed say that it needs a terminal.
pub(super) fn is_needed(stderr_tail: &str) -> bool {
    let said = stderr_tail.to_lowercase();
    SAID.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::is_needed;

    #[test]
    fn a_program_without_a_terminal_is_known_by_its_words() {
        for said in [
            "Error: Inappropriate ioctl for device (os error 25)",
            "the input device is not a TTY",
            "stdin isn't a terminal",
            "tput: cannot open /dev/tty: No such device or address",
        ] {
            assert!(is_needed(said), "{said}");
        }
        for said in ["", "error: no such file", "pretty: not an entity"] {
            assert!(!is_needed(said), "{said}");
        }
    }
}
