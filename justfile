# What a change has to pass: formatting, lints, documentation, tests.
check:
    cargo fmt --all --check
    cargo clippy --all-targets -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc --no-deps --document-private-items

# All tests, or those whose names hold the words given: just test architecture
test *FILTER:
    cargo test {{ FILTER }}

# Takes the present output as the expected one; read the diff before committing it.
bless *FILTER:
    INSTA_UPDATE=always SNAPSHOTS=overwrite cargo test {{ FILTER }}

# The documentation of the code, private items included.
docs:
    cargo doc --no-deps --document-private-items --open

# The pictures of the README, from the recorded report of the demo, in Chromium.
pictures:
    cargo test --test suite take_the_pictures -- --ignored

# What this branch did to perfcheck's own speed, as CI asks it: BASE=v0.1.0 just performance
performance:
    .ci/performance

# What takes too long for every change: all versions of Criterion, real pushes, fat link-time optimisation, every
# instruction's place, a hundred simulated histories.
field:
    cargo test --release --lib -- --ignored --nocapture
    TEST_FIELD=1 cargo test --test suite -- --include-ignored criterion_versions:: hook::a_slowdown_that profiles::a_profile_that instructions::every_instruction
