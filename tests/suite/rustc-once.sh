#!/bin/sh
# Stands between cargo and rustc in the tests (`RUSTC_WRAPPER`). Nearly every workspace here depends on
# Criterion and so on the same sixty crates: what comes from a registry is compiled once for the whole
# suite, and what belongs to a workspace every time. ONCE_FOLDER is where the former is kept; its name
# holds the compiler's version.
#
# A crate is the same where rustc is called with the same words, but for the folder that cargo builds
# in. Cargo's own hash of a crate (`extra-filename`) is among them.
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
key=$(printf '%s\n' "$@" | sed "s|$profile/|@/|g" | sha256sum)
kept=$ONCE_FOLDER/${key%% *}
if [ -d "$kept" ]; then
    exec cp "$kept"/* "$out"/
fi

"$@"
new=$(mktemp -d "$ONCE_FOLDER/new-XXXXXX")
cp "$out"/*"$suffix"* "$new"/
# Another test may have been quicker.
mv -T "$new" "$kept" 2>/dev/null || rm -r "$new"
