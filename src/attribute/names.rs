//! Names of functions as they can be compared across two builds.

/// A function's name without parts that change from build to build for no reason: closures lose their
/// numbers, and belong to the function that they are written in. (Hashes and crate disambiguators are
/// gone when a name is demangled; generic arguments stay.)
pub(super) fn comparable(name: &str) -> String {
    let name = unnumbered(name);
    let mut name = name.as_str();
    while let Some(outer) = name.strip_suffix("::{closure}") {
        name = outer;
    }
    name.to_owned()
}

/// `{closure#3}` and `{{closure}}` become `{closure}`, and `{shim:vtable#0}` likewise `{shim:vtable}`.
fn unnumbered(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let inside = rest[start + 1..start + length].trim_start_matches('{');
        let kind = inside.split('#').next().unwrap_or(inside);
        out.push_str(&rest[..start]);
        out.push('{');
        out.push_str(kind);
        out.push('}');
        rest = rest[start + length + 1..].trim_start_matches('}');
    }
    out.push_str(rest);
    out
}

/// The last part of a path, without generic arguments: `a::B<C>::d::<E>` is `d`.
pub(super) fn last_segment(name: &str) -> &str {
    let mut depth = 0_usize;
    let mut start = 0;
    let mut end = None;
    let mut before = ' ';
    for (at, c) in name.char_indices() {
        match c {
            '<' => {
                if depth == 0 && at > start && end.is_none() {
                    end = Some(at);
                }
                depth += 1;
            }
            // The arrow of a function type.
            '>' if before == '-' => {}
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && before == ':' => {
                // `f::<T>`: what follows are arguments, not another segment.
                if !name[at + 1..].starts_with('<') {
                    start = at + 1;
                    end = None;
                } else if end.is_none() {
                    end = Some(at - 1);
                }
            }
            _ => {}
        }
        before = c;
    }
    &name[start..end.unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_belongs_to_the_function_it_is_written_in() {
        for name in [
            "shop::sum::{{closure}}",
            "shop::sum::{closure#1}::{closure#0}",
            "shop::sum",
        ] {
            assert_eq!(comparable(name), "shop::sum");
        }
        assert_eq!(
            comparable("shop::apply::<shop::sum::{closure#3}>"),
            "shop::apply::<shop::sum::{closure}>"
        );
    }

    #[test]
    fn generic_arguments_are_part_of_a_name_and_not_of_its_last_segment() {
        assert_eq!(comparable("a::f::<u32>"), "a::f::<u32>");
        assert_eq!(last_segment("a::f::<u32>"), "f");
        assert_eq!(last_segment("a::S<b::T>::f"), "f");
        assert_eq!(last_segment("<a::S as core::iter::Iterator>::next"), "next");
        assert_eq!(last_segment("a::f::<fn(u8) -> b::T>"), "f");
        assert_eq!(last_segment("memcpy"), "memcpy");
    }
}
