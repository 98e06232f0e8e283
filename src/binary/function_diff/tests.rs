//! Real executables, each built again by cargo after one edit: what must never be called the same.

use super::super::identity::tests::Program;
use super::*;

/// The names of the functions that differ once `from` is replaced by `to`.
fn changed_by(from: &str, to: &str) -> Vec<String> {
    changed(&Program::with(from, to))
}

fn changed(program: &Program) -> Vec<String> {
    let changed = program.compared(changed_functions).unwrap();
    changed.into_iter().map(|function| function.name).collect()
}

fn assert_changed(changed: &[String], function: &str) {
    assert!(
        changed.iter().any(|name| is(name, function)),
        "{changed:#?}"
    );
}

fn assert_same(changed: &[String], function: &str) {
    assert!(
        !changed.iter().any(|name| is(name, function)),
        "{changed:#?}"
    );
}

/// Whether a name is that of the function, or of an instance of it: the older mangling leaves generic
/// arguments out, the newer one has them.
fn is(name: &str, function: &str) -> bool {
    let rest = name.strip_prefix(function);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::<"))
}

#[test]
fn no_function_of_the_same_source_differs() {
    let same = Program::build(Side::Head, |_, text| text.to_owned());
    assert_eq!(changed(&same), Vec::<String>::new());
}

#[test]
fn comments_that_move_panic_locations_change_no_function() {
    let commented = Program::build(Side::Head, |name, text| match name {
        // `line!()` must stay where it is: that number is code.
        "src/lib.rs" => text.replace("const CONSTANTS", "/// A table.\n///\nconst CONSTANTS"),
        _ => text.to_owned(),
    });
    assert_eq!(changed(&commented), Vec::<String>::new());
}

#[test]
fn a_changed_constant_table_changes_its_reader() {
    assert_changed(&changed_by("t[40] = 5", "t[40] = 6"), "program::constant");
}

#[test]
fn a_changed_static_changes_its_reader() {
    let changed = changed_by("AtomicU64::new(11)", "AtomicU64::new(12)");
    assert_changed(&changed, "program::limit");
    assert_same(&changed, "program::untouched");
}

#[test]
fn a_changed_target_in_a_table_of_functions_changes_who_calls_through_it() {
    assert_changed(
        &changed_by("[first, second]", "[second, first]"),
        "program::call",
    );
}

#[test]
fn another_vtable_changes_who_hands_it_out() {
    let changed = changed_by(
        "if n % 3 == 0 { Box::new(Square(n as u64)) } else { Box::new(Circle(n as u64)) }",
        "if n % 3 == 0 { Box::new(Circle(n as u64)) } else { Box::new(Square(n as u64)) }",
    );
    assert_changed(&changed, "program::chosen");
}

#[test]
fn a_changed_method_behind_a_vtable_differs() {
    let changed = changed_by("\"circle\".repeat", "\"ring\".repeat");
    assert_changed(&changed, "<program::Circle as program::Shape>::name");
}

#[test]
fn a_changed_generic_function_differs_in_its_instances() {
    let changed = changed_by("rotate_left(3)", "rotate_left(4)");
    assert_changed(&changed, "program::generic");
    assert_same(&changed, "program::untouched");
}

#[test]
fn with_the_newer_mangling_only_the_instances_of_the_changed_function_differ() {
    let v0 = ["build.rustflags=['-Csymbol-mangling-version=v0']"];
    let base = Program::build_with(Side::Base, &v0, |_, text| text.to_owned());
    let head = Program::build_with(Side::Head, &v0, |_, text| {
        text.replace("rotate_left(3)", "rotate_left(4)")
    });
    let changed = head.compared_with(&base, changed_functions).unwrap();
    let mut names: Vec<&str> = changed.iter().map(|function| &*function.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["program::generic::<u32>", "program::generic::<u8>"]);
}

#[test]
fn a_changed_callee_that_is_inlined_changes_its_caller_and_nobody_else() {
    let changed = changed_by("wrapping_mul(3) ^ 5", "wrapping_mul(3) ^ 6");
    assert_changed(&changed, "program::outer");
    assert_same(&changed, "program::untouched");
    assert_same(&changed, "program::constant");
}

#[test]
fn of_two_branches_the_one_that_has_changed_is_where_the_function_begins_to_differ() {
    let either = |from: &str, to: &str| {
        let changed = Program::with(from, to).compared(changed_functions).unwrap();
        let function = changed
            .into_iter()
            .find(|one| is(&one.name, "program::either"));
        function.unwrap_or_else(|| panic!("{from} is no part of it"))
    };
    let in_one = either("rotate_left(21)", "rotate_left(22)");
    let in_other = either("wrapping_mul(34)", "wrapping_mul(38)");
    for side in Side::BOTH {
        let code = in_one.code.get(side).clone().unwrap();
        for function in [&in_one, &in_other] {
            let entries = function.entries.get(side);
            assert!(
                !entries.is_empty() && !entries.contains(&code.start),
                "{function:x?}"
            );
            assert!(
                entries.iter().all(|entry| code.contains(entry)),
                "{function:x?}"
            );
        }
    }
    let both = [&in_one, &in_other].map(|function| {
        function
            .entries
            .base
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
    });
    assert!(both[0].is_disjoint(&both[1]), "{in_one:x?} {in_other:x?}");
    let condition = either("n % 7 == 3", "n % 7 == 4");
    assert!(condition.entries.base[0] < **both[0].first().unwrap().min(both[1].first().unwrap()));
}

#[test]
fn a_changed_text_that_only_a_table_of_distances_leads_to_changes_who_reads_it() {
    assert_changed(&changed_by("\"drei\"", "\"tres\""), "program::name_of");
    let swapped = changed_by(
        "2 => \"zwei\", 3 => \"drei\"",
        "2 => \"drei\", 3 => \"zwei\"",
    );
    assert_changed(&swapped, "program::name_of");
}

#[test]
fn a_text_that_is_new_does_not_change_who_reads_others_by_their_distance() {
    let changed = changed_by(
        "\"circle\".repeat",
        "[\"circle\", \"a new name\"][self.0 as usize % 2].repeat",
    );
    assert_changed(&changed, "<program::Circle as program::Shape>::name");
    assert_same(&changed, "program::name_of");
}

#[test]
fn another_variable_with_the_same_first_value_is_another_variable() {
    let changed = changed_by("OTHER.fetch_add", "ONE.fetch_add");
    assert_changed(&changed, "program::others");
}

#[test]
fn what_is_no_executable_for_this_processor_is_unclear() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs_err::write(&file, "no executable").unwrap();
    let tree = Tree {
        checkout: temp.path(),
        workspace: temp.path(),
        target_dir: temp.path(),
    };
    let compared = changed_functions(Paired::new(&file, &file), Paired::new(tree, tree));
    assert!(compared.is_err(), "{compared:?}");
}
