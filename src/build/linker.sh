#!/bin/sh
# The linker, as `cargo perfcheck` has rustc find it for benchmarks: it links as ever, and keeps what was linked, so
# that the same code can be linked again with its functions in another order. rustc finds it on the PATH by the
# linker's own name, so it treats it as that linker. Nothing that goes wrong here keeps a benchmark from being linked.
here=${0%/*}
name=${0##*/}
newline='
'
real=
set -f
IFS=:
for folder in ${PATH-}; do
    if [ "$folder" != "$here" ] && [ -x "$folder/$name" ] && [ ! -d "$folder/$name" ]; then
        real=$folder/$name
        break
    fi
done
unset IFS
set +f
if [ -z "$real" ]; then
    echo "$name: not found" >&2
    exit 127
fi

# Writes the words of the link, one per line, and keeps the files that rustc removes after it.
keep() {
    output=
    previous=
    for word; do
        if [ "$previous" = -o ]; then output=$word; fi
        previous=$word
        # A file with more words, or a word that a line cannot hold.
        case "$word" in @* | *"$newline"*) return 1 ;; esac
    done
    [ -n "$output" ] || return 1
    kept=$PERFCHECK_LINKS/${output##*/}
    rm -rf "$kept" && mkdir -p "$kept" || return 1
    count=0
    for word; do
        case "$word" in
        *.o | */rustc??????/*)
            if [ -f "$word" ]; then
                count=$((count + 1))
                ln "$word" "$kept/$count-${word##*/}" || cp "$word" "$kept/$count-${word##*/}" || return 1
                word=$kept/$count-${word##*/}
            fi
            ;;
        esac
        printf '%s\n' "$word"
    done >"$kept/words.new" || return 1
    printf '%s\n' "$real" >"$kept/program" && pwd >"$kept/folder" && mv "$kept/words.new" "$kept/words"
}

if [ -n "${PERFCHECK_LINKS-}" ]; then
    keep "$@" 2>/dev/null || { [ -z "${kept-}" ] || rm -rf "$kept"; }
fi
exec "$real" "$@"
