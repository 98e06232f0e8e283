#!/bin/sh
# Performance of a change, for any system of continuous integration.
#
#   BASE   the branch that the change will be merged into   [origin/main]
#   HEAD   the commit that holds the change                 [HEAD]
#   OUT    the folder of the reports                        [perfcheck]
#
# Leaves with 0 (approved), 100 (rejected: something is slower or over its budget), 101 (could not be completed),
# 102 (nothing that had to be measured was) or 103 (ended early: the report is partial).
set -eu

base=${BASE:-origin/main}
head=${HEAD:-HEAD}
out=${OUT:-perfcheck}

# Three dots: from the commit where the change left the branch. A shallow clone may not have it.
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git fetch --quiet --unshallow
fi
# Systems that check out one branch have no others.
if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
    git fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*'
fi

# What the main branch recorded tells where a change stands. Without it, the report is the same but for that.
cargo perfcheck history fetch >/dev/null 2>&1 || true

exec cargo perfcheck "$base...$head" --report-dir "$out"
