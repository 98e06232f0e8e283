#!/bin/sh
# Stands between cargo and rustc in the tests (`RUSTC_WRAPPER`). Nearly every workspace here depends on
# Criterion and so on the same sixty crates: what comes from a registry is compiled once for the whole
# suite, and what belongs to a workspace every time. ONCE_FOLDER is where the former is kept; its name
# holds the compiler's version.
#
# A crate is the same where rustc is called with the same words, but for the folder that cargo builds
# in, and finds the same files of its build script. Cargo's own hash of a crate (`extra-filename`) is among
# the words.
set -eu

case "${CARGO_MANIFEST_DIR-}" in
*/registry/src/*) ;;
*) exec "$@" ;;
esac

out=
suffix=
before=
for word; do
    [ "$before" != --out-dir ] || out=$word
    case "$word" in
    extra-filename=*) suffix=${word#extra-filename=} ;;
    esac
    before=$word
done
if [ -z "$out" ] || [ -z "$suffix" ]; then
    exec "$@"
fi

profile=${out%/deps}
profile=${profile%/build/*}

generated() {
    if [ -d "${OUT_DIR-}" ]; then
        (cd "$OUT_DIR" && find . -type f -exec sha256sum {} + | sort)
    fi
}
key=$({ printf '%s\n' "$@" | sed "s|$profile/|@/|g"; generated; } | sha256sum)
kept=$ONCE_FOLDER/${key%% *}

# Tests begin with the same crates at the same time: one of them compiles a crate, and the others wait for it. Who
# compiles waits for nobody, so that none waits for ever. Where there can be no lock, each compiles it.
if [ ! -d "$kept" ] && command -v flock >/dev/null && (: >"$kept.lock") 2>/dev/null; then
    exec 9>"$kept.lock"
    flock 9 || :
fi
if [ -d "$kept" ]; then
    cp "$kept"/* "$out"/
    # Cargo reads in these which files a crate was made of, and looks whether they are still there.
    for file in "$out"/*"$suffix".d; do
        [ ! -e "$file" ] || sed -i "s|@PROFILE@/|$profile/|g" "$file"
    done
    exit 0
fi

"$@" 9>&-

# Keeping it is a favour to the others: where that fails, the crate is compiled all the same.
if new=$(mktemp -d "$ONCE_FOLDER/new-XXXXXX"); then
    trap 'rm -rf "$new"' EXIT
    if cp "$out"/*"$suffix"* "$new"/; then
        for file in "$new"/*.d; do
            [ ! -e "$file" ] || sed -i "s|$profile/|@PROFILE@/|g" "$file"
        done
        # Another test may have been quicker.
        mv -T "$new" "$kept" 2>/dev/null || true
    fi
fi
