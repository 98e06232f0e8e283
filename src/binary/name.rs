//! Names that are the same in both builds.

/// A symbol's name without what differs between two builds of one source: the compiler's hashes and
/// crate disambiguators, and the number that link-time optimisation appends. Generic arguments stay
/// (where the name has them: the older mangling leaves them out, so that one name may stand for many
/// functions).
pub(super) fn normalised(symbol: &str) -> String {
    // What the compiler appends after its own number (`.cold`) tells parts of a function apart.
    let (stem, suffix) = match symbol.find(".llvm.") {
        Some(at) => {
            let number = &symbol[at + ".llvm.".len()..];
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            (&symbol[..at], &number[digits..])
        }
        None => symbol.split_at(end_of_mangled(symbol)),
    };
    if let Some(rest) = stem.strip_prefix("anon.") {
        // Constants that link-time optimisation shares: `anon.<hash>.<number>`. The number changes
        // with every other constant.
        if rest.split('.').next().is_some_and(|hash| hash.len() >= 16) {
            return "anon".to_owned();
        }
    }
    match rustc_demangle::try_demangle(stem) {
        Ok(name) => format!("{name:#}{suffix}"),
        Err(_) => format!("{stem}{suffix}"),
    }
}

/// Where the mangled name ends and what the compiler has appended begins.
fn end_of_mangled(symbol: &str) -> usize {
    let end = if symbol.starts_with("_ZN") {
        // The older mangling has dots within names, too; it ends with `17h`, the hash and `E`.
        symbol
            .rfind("17h")
            .map(|at| at + "17h".len() + 16 + "E".len())
    } else if symbol.starts_with("_R") {
        symbol.find('.')
    } else {
        None
    };
    end.filter(|at| symbol.is_char_boundary(*at))
        .unwrap_or(symbol.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_disambiguators_and_numbers_of_link_time_optimisation_go() {
        for symbol in [
            "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
            "_ZN4core3fmt5Write9write_fmt17hfedcba9876543210E.llvm.12345",
        ] {
            assert_eq!(normalised(symbol), "core::fmt::Write::write_fmt");
        }
        let of_trait = "_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17hac641b440180a0f7E";
        assert_eq!(normalised(of_trait), "<&T as core::fmt::Debug>::fmt");
        assert_eq!(
            normalised(&format!("{of_trait}.cold")),
            "<&T as core::fmt::Debug>::fmt.cold"
        );
        assert_eq!(normalised("memcpy.llvm.1"), "memcpy");
        assert_eq!(
            normalised("anon.0be2016f3f02fcda4942ab1ea7fa3953.11.llvm.8"),
            "anon"
        );
        assert_eq!(
            normalised("_RNvC6_123foo3bar"),
            normalised("_RNvC6_123foo3bar.llvm.77")
        );
        assert_eq!(
            normalised("_RNvCs1_7a_crate3bar"),
            normalised("_RNvCs9_7a_crate3bar")
        );
    }

    #[test]
    fn parts_of_a_function_and_generic_arguments_stay() {
        let whole = normalised("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE");
        let cold = normalised("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE.llvm.5.cold");
        assert_eq!(cold, format!("{whole}.cold"));
        assert_eq!(normalised("compress.constprop.0"), "compress.constprop.0");
        assert_ne!(
            normalised("_RINvC1a1fhE"), // a::f::<u8>
            normalised("_RINvC1a1fjE"), // a::f::<usize>
        );
    }
}
