#!/bin/sh
# Gradescope runs this once, as root, when it builds the autograder's image.
#
# The autograder's zip is the course's repository with this file, `run_autograder` and `kata-exercise.txt` at its top:
#
#   cp integrations/gradescope/* . && echo exercise-03 > kata-exercise.txt
#   zip -r autograder.zip . -x '.git/*' '.venv/*' '.grade/*' 'tests/*'
set -eu

course=${KATA_AUTOGRADER:-/autograder}/source

if [ "$(id -u)" = 0 ] && [ -z "${KATA_AUTOGRADER:-}" ]; then
    apt-get update
    apt-get install -y --no-install-recommends python3 python3-venv bubblewrap
    # The older images have 3.10, and this beside it.
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        apt-get install -y --no-install-recommends python3.11 python3.11-venv
    apt-get clean
fi

# Solutions run as a user of their own, which must be able to run Python, and not to read the hidden tests.
chmod go+rx "$course"
chmod -R go+rX "$course/grader"
chmod -R go-rwx "$course/exercises"

"${KATA_GRADE:-$course/grade}" --version
