//! The text of a statement without what differs from run to run: literals, comments, white space and the length of lists.
//!
//! This one file is compiled into the probe, and into the tests of the host.

/// Text beyond so many bytes does not tell statements apart.
const MOST: usize = 2048;

/// Stands for all but the first of a list of values.
const REST: &[u8] = "…".as_bytes();

/// A statement's text.
pub(crate) struct StatementText {
    bytes: [u8; MOST],
    length: usize,
}

impl StatementText {
    /// The text of `sql` with `?` for each literal and `?, …` for each list of them.
    pub(crate) fn of(sql: &[u8]) -> StatementText {
        let mut text = StatementText {
            bytes: [0; MOST],
            length: 0,
        };
        let mut rest = sql;
        while let Some(first) = rest.first() {
            let length = match first {
                b'\'' => quoted(rest, b'\''),
                b'"' => quoted(rest, b'"'),
                b'`' => quoted(rest, b'`'),
                b'[' => until(rest, b"]"),
                b'-' if rest.starts_with(b"--") => until(rest, b"\n"),
                b'/' if rest.starts_with(b"/*") => until(rest, b"*/"),
                b'0'..=b'9' if !text.is_in_word() => number(rest),
                _ => 1,
            };
            let (token, behind) = rest.split_at(length);
            rest = behind;
            match first {
                b'\'' => text.put_value(),
                b'0'..=b'9' if !text.is_in_word() => text.put_value(),
                b'?' if !behind.first().is_some_and(u8::is_ascii_digit) => text.put_value(),
                b'-' | b'/' if length > 1 => text.put_space(),
                first if first.is_ascii_whitespace() => text.put_space(),
                _ => text.put(token),
            }
        }
        while matches!(text.as_bytes().last(), Some(b' ' | b';')) {
            text.length -= 1;
        }
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// FNV-1a, its high bits mixed down; never 0.
    pub(crate) fn hash(&self) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in self.as_bytes() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        (hash ^ (hash >> 29)).max(1)
    }

    fn put(&mut self, token: &[u8]) {
        let room = MOST - self.length;
        let token = &token[..token.len().min(room)];
        self.bytes[self.length..self.length + token.len()].copy_from_slice(token);
        self.length += token.len();
    }

    fn put_space(&mut self) {
        if !matches!(self.as_bytes().last(), None | Some(b' ')) {
            self.put(b" ");
        }
    }

    /// Puts a value, or, behind others of the same list, a word for all further ones.
    fn put_value(&mut self) {
        let text = self.as_bytes();
        let before = text.strip_suffix(b" ").unwrap_or(text);
        let Some(list) = before.strip_suffix(b",") else {
            return self.put(b"?");
        };
        let list = list.strip_suffix(b" ").unwrap_or(list);
        let length = list.len();
        if list.ends_with(REST) {
            self.length = length;
        } else if list.ends_with(b"?") {
            self.length = length;
            self.put(b", ");
            self.put(REST);
        } else {
            self.put(b"?");
        }
    }

    /// Whether a digit would belong to a name or a parameter.
    fn is_in_word(&self) -> bool {
        let last = self.as_bytes().last();
        last.is_some_and(|last| {
            last.is_ascii_alphanumeric() || b"_$?:@".contains(last) || *last >= 0x80
        })
    }
}

/// How long something in quotes is, quotes that are doubled included.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < text.len() {
        if text[at] != quote {
            at += 1;
        } else if text.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    text.len()
}

/// How long the text is to the end of `end`.
fn until(text: &[u8], end: &[u8]) -> usize {
    let found = text.windows(end.len()).position(|window| window == end);
    found.map_or(text.len(), |at| at + end.len())
}

/// How long a number is.
fn number(text: &[u8]) -> usize {
    let mut length = 1;
    while let Some(next) = text.get(length) {
        let is_sign = b"+-".contains(next) && b"eE".contains(&text[length - 1]);
        if !next.is_ascii_alphanumeric() && !b"._".contains(next) && !is_sign {
            break;
        }
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sql: &str) -> String {
        String::from_utf8_lossy(StatementText::of(sql.as_bytes()).as_bytes()).into_owned()
    }

    #[test]
    fn literals_comments_and_white_space_do_not_tell_statements_apart() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT ?"),
            (
                "SELECT  name -- of it\n FROM t1\tWHERE id=17 AND name = 'O''Neil';",
                "SELECT name FROM t1 WHERE id=? AND name = ?",
            ),
            (
                "/* all */ SELECT \"a 1\", [b 2], `c 3` FROM t",
                "SELECT \"a 1\", [b 2], `c 3` FROM t",
            ),
            (
                "SELECT a FROM t WHERE b > -1.5e-3 ; ",
                "SELECT a FROM t WHERE b > -?",
            ),
            ("SELECT 0x1F, a-1", "SELECT ?, a-?"),
        ] {
            assert_eq!(text(sql), expected);
        }
    }

    #[test]
    fn parameters_stay_and_lists_of_values_have_one_length() {
        assert_eq!(text("SELECT ?1, :a1, @b2, $c3"), "SELECT ?1, :a1, @b2, $c3");
        assert_eq!(text("x IN (1)"), "x IN (?)");
        assert_eq!(text("x IN (1, 2,3 , 4)"), text("x IN (?,?)"));
        assert_eq!(text("x IN ('a','b','c')"), "x IN (?, …)");
    }

    #[test]
    fn what_never_ends_ends_with_the_text_and_long_texts_are_cut() {
        assert_eq!(text("SELECT 'a"), "SELECT ?");
        assert_eq!(text("SELECT a /* b"), "SELECT a");
        assert_eq!(text(""), "");
        assert_eq!(text(&"a".repeat(2 * MOST)).len(), MOST);
        let [one, other] =
            ["SELECT a", "SELECT b"].map(|sql| StatementText::of(sql.as_bytes()).hash());
        assert_ne!(one, other);
    }
}
