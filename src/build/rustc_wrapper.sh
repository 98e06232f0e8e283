#!/bin/sh
# rustc, as `cargo perfcheck` has cargo call it: no lint keeps a revision from being measured. What cargo
# compiles without a cap on its lints gets one. Everybody else (cargo with a question, a build script
# that tries out what the compiler accepts) gets rustc as it is. The user's own wrapper comes next.
if [ -n "${PERFCHECK_RUSTC_WRAPPER-}" ]; then
    set -- "$PERFCHECK_RUSTC_WRAPPER" "$@"
fi
# Cargo sets this for crates, and not for build scripts.
if [ -z "${CARGO_CRATE_NAME-}" ]; then
    exec "$@"
fi
for word; do
    case "$word" in
    --cap-lints | --cap-lints=*) exec "$@" ;;
    @*) if grep -q '^--cap-lints' "${word#@}" 2>/dev/null; then exec "$@"; fi ;;
    esac
done
exec "$@" --cap-lints=warn
