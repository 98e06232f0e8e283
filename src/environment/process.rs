//! Processor time of a process or thread, from its `stat` file (proc_pid_stat(5)).

/// Whose time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The process or thread alone.
    Itself,
    /// With the children of its process that have ended and been waited for.
    WithChildren,
}

/// User and system time in clock ticks; `None` if this is no such file.
///
/// They are the 14th field and those behind it. Fields are counted behind the name, which may hold anything.
pub(crate) fn ticks(stat: &str, of: Of) -> Option<u64> {
    let count = match of {
        Of::Itself => 2,
        Of::WithChildren => 4,
    };
    let (_, behind) = stat.rsplit_once(')')?;
    let times = behind.split_ascii_whitespace().skip(11).take(count);
    let times: Vec<u64> = times.map_while(|time| time.parse().ok()).collect();
    (times.len() == count).then(|| times.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 31 11 5 2 20 0 1 0 5 1000 10";
        assert_eq!(ticks(stat, Of::Itself), Some(42));
        assert_eq!(ticks(stat, Of::WithChildren), Some(49));
    }

    #[test]
    fn what_is_no_such_file_has_no_time() {
        for stat in ["", "8724 (cat) R 8718 8718", "no parenthesis"] {
            assert_eq!(ticks(stat, Of::Itself), None);
        }
        let short = "7 (a) S 1 7 7 0 -1 4194304 100 0 0 0 31 11";
        assert_eq!(ticks(short, Of::WithChildren), None);
    }
}
