"""Run the grader: `python -m grader`, or this file itself, which is what the `grade` script does."""

import sys

from grader.cli.main import main

if __name__ == "__main__":
    sys.argv[0] = "grade"
    main()
