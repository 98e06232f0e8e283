#!/bin/sh
# Records what commits of the main branch did, for any system of continuous integration.
#
#   BEFORE    the commit before them                                    [HEAD~1]
#   HEAD      the last of them                                          [HEAD]
#   HISTORY   a folder that stays between builds, for the runs; if it is not set, they are fetched from REMOTE and
#             pushed there (refs/perfcheck/history)
#   REMOTE    where that reference is                                   [origin]
#   OUT       the folder of the reports, and of the trend's page        [perfcheck]
#
# A regression is recorded, and does not make this fail: whether it is accepted was decided before.
set -eu

head=${HEAD:-HEAD}
before=${BEFORE:-$head~1}
remote=${REMOTE:-origin}
out=${OUT:-perfcheck}

if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git fetch --quiet --unshallow
fi
# A branch that is new, or whose commits were replaced, has no such commit.
git cat-file -e "$before^{commit}" 2>/dev/null || before=$head~1

if [ -n "${HISTORY:-}" ]; then
    set -- --history "$HISTORY"
else
    set --
    cargo perfcheck history fetch "$remote"
fi
status=0
cargo perfcheck "$before..$head" --record --report-dir "$out" "$@" || status=$?
# 100 is a regression, 103 a partial report.
case "$status" in
    0 | 100 | 103) ;;
    *) exit "$status" ;;
esac
if [ -z "${HISTORY:-}" ]; then
    # Jobs of several pushes may run at the same time: this unites what they recorded.
    cargo perfcheck history push "$remote"
fi
cargo perfcheck trend --output "$out/trend.html" "$@"
