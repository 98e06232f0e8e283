#!/bin/sh
# The linker, as `cargo perfcheck` has rustc find it for benchmarks: it links as ever, and keeps the inputs of the link,
# so that the same code can be linked again with its functions in another order. rustc finds it on the PATH by the
# linker's own name, so it treats it as that linker. Nothing that goes wrong here keeps a benchmark from being linked.
here=${0%/*}
name=${0##*/}
newline='
'
# The PATH without this folder: what is found there may itself look for the next one of its name, as ccache does.
real=
rest=
set -f
IFS=:
for folder in ${PATH-}; do
    [ "$folder" != "$here" ] || continue
    rest=${rest:+$rest:}$folder
    if [ -z "$real" ] && [ -x "$folder/$name" ] && [ ! -d "$folder/$name" ]; then
        real=$folder/$name
    fi
done
unset IFS
set +f
if [ -z "$real" ]; then
    echo "$name: not found" >&2
    exit 127
fi
PATH=$rest
export PATH

# Where this link is kept: nowhere, unless it has an output.
kept=
previous=
for word; do
    if [ "$previous" = -o ] && [ -n "${PERFCHECK_LINKS-}" ] && [ -n "${word##*/}" ]; then
        kept=$PERFCHECK_LINKS/${word##*/}
    fi
    previous=$word
done

# Writes the words of the link, one per line, and keeps the files that rustc removes after it.
keep() {
    mkdir -p "$kept" || return 1
    count=0
    for word; do
        case "$word" in
        # A file with more words, or a word that a line cannot hold.
        @* | *"$newline"*) return 1 ;;
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
    printf '%s\n' "$real" >"$kept/program" && pwd >"$kept/folder" || return 1
    for variable in PATH LIBRARY_PATH COMPILER_PATH; do
        value=
        eval "value=\${$variable-}"
        case "$value" in
        '') ;;
        *"$newline"*) return 1 ;;
        *) printf '%s=%s\n' "$variable" "$value" ;;
        esac
    done >"$kept/variables" || return 1
    mv "$kept/words.new" "$kept/words"
}

if [ -n "$kept" ]; then
    # An earlier link of this name is not this one.
    rm -rf "$kept" 2>/dev/null
    keep "$@" 2>/dev/null || rm -rf "$kept" 2>/dev/null
fi
exec "$real" "$@"
