#!/bin/sh
# Grade in CI, as the variables say: the GitHub action and the GitLab template both end here.
#
#   KATA_COURSE        the course, a folder or an archive; default: the repository that this file is in
#   KATA_SUBMISSIONS   the checkout with `exercises/*/solution/`; default: the place's own
#   KATA_EXERCISE      NAME or NAME=FOLDER, whatever has changed; default: what the change touches
#   KATA_ALL           true: every solution that is there
#   KATA_BASE          the commit that the change is against
#   KATA_PASS          the pass mark, such as 60%
#   KATA_REPORT_ONLY   true: never fail
#   KATA_SANDBOX       docker, bubblewrap or local
#   KATA_FORMAT        one more output, NAME=FILE
#   KATA_SIGN_KEY      a key to sign the JSON reports with: a file in PEM, or its text
#   KATA_GRADE         the program `grade`; default: the one beside this folder
set -eu

root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
grade=${KATA_GRADE:-$root/grade}

set -- ci --course "${KATA_COURSE:-$root}"
set -- "$@" --submissions "${KATA_SUBMISSIONS:-${GITHUB_WORKSPACE:-${CI_PROJECT_DIR:-.}}}"
set -- "$@" --pass "${KATA_PASS:-100%}"
[ -z "${KATA_EXERCISE:-}" ] || set -- "$@" --exercise "$KATA_EXERCISE"
[ "${KATA_ALL:-false}" != true ] || set -- "$@" --all
[ -z "${KATA_BASE:-}" ] || set -- "$@" --base "$KATA_BASE"
[ "${KATA_REPORT_ONLY:-false}" != true ] || set -- "$@" --report-only
[ -z "${KATA_SANDBOX:-}" ] || set -- "$@" --sandbox "$KATA_SANDBOX"
[ -z "${KATA_FORMAT:-}" ] || set -- "$@" --format "$KATA_FORMAT"
# Not as an argument, which every user of the machine can see.
[ -z "${KATA_SIGN_KEY:-}" ] || export GRADE_SIGN_KEY="$KATA_SIGN_KEY"

exec "$grade" "$@"
