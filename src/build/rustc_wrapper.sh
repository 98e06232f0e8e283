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
# Keeps the inputs of benchmark links (linker.sh): rustc finds that script by the linker's name.
if [ -n "${PERFCHECK_LINKERS-}" ] && [ -z "${CARGO_BIN_NAME-}" ]; then
    case " $* " in
    *" build_script_"*) ;;
    *" --crate-type lib "* | *" --crate-type rlib "* | *" --crate-type dylib "*) ;;
    *" --crate-type cdylib "* | *" --crate-type staticlib "* | *" --crate-type proc-macro "*) ;;
    *)
        PATH=$PERFCHECK_LINKERS${PATH:+:$PATH}
        export PATH
        ;;
    esac
fi
capped=no
for word; do
    case "$word" in
    --cap-lints | --cap-lints=*) capped=yes ;;
    @*)
        if grep -q '^--cap-lints' "${word#@}" 2>/dev/null; then exec "$@"; fi
        exec "$@" --cap-lints=warn
        ;;
    esac
done
if [ "$capped" = no ]; then
    set -- "$@" --cap-lints=warn
fi
# Cargo names a crate by where it lies, where that is outside of the workspace, and whatever uses it by its
# name: both sides would have other names for all of it, and other code. So each gets one that follows from
# what cargo says of it, without the side's own folders and names.
case "${PERFCHECK_CHECKOUT:+${CARGO_MANIFEST_DIR-}/}" in
"${PERFCHECK_CHECKOUT-}"/*) ;;
*) exec "$@" ;;
esac
names="$PERFCHECK_TARGET/.perfcheck-names"
suffix=
for word; do
    case "$word" in
    extra-filename=?*) suffix=${word#extra-filename=} ;;
    esac
done
[ -n "$suffix" ] || exec "$@"
touch "$names"
said=$(
    {
        printf '%s\n' "${CARGO_PKG_NAME-}" "${CARGO_PKG_VERSION-}"
        for word; do
            case "$word" in
            metadata=* | extra-filename=* | *.rs) ;;
            *) printf '%s\n' "$word" ;;
            esac
        done
    } | sed -e "s|$PERFCHECK_TARGET|target|g" -e "s|$PERFCHECK_CHECKOUT|checkout|g" -e "s|$suffix||g" \
        -e 's|/build/\([^/]*\)[-/][0-9a-f]\{16\}/|/build/\1/|g' -f "$names"
) || exec "$@"
name=$(printf '%s' "$said" | cksum | tr -dc 0-9)
printf 's|%s\\([^0-9a-f]\\)|-%s\\1|g\n' "$suffix" "$name" >>"$names"
count=$#
while [ "$count" -gt 0 ]; do
    word=$1
    shift
    case "$word" in
    metadata=*) word=metadata=$name ;;
    esac
    set -- "$@" "$word"
    count=$((count - 1))
done
# Their absolute paths would be in the executables, and lie elsewhere in them for each side.
exec "$@" "--remap-path-prefix=$PERFCHECK_CHECKOUT=$PERFCHECK_EITHER"
