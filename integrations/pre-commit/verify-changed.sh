#!/bin/sh
# Prove the exercises that the given files belong to: pre-commit names the files that are to be committed.
set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd -P)
names=$(
    for file in "$@"; do
        case $file in exercises/*/*)
            file=${file#exercises/}
            printf '%s\n' "${file%%/*}"
            ;;
        esac
    done | sort -u
)

set --
while IFS= read -r name; do
    # One that was removed needs no proof.
    if [ -n "$name" ] && [ -d "exercises/$name" ]; then set -- "$@" "$name"; fi
done <<END
$names
END
[ "$#" -gt 0 ] || exit 0

exec "${KATA_GRADE:-$root/grade}" verify --quick "$@"
