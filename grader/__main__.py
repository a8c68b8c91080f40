"""Run the grader: `python -m grader`, or this file itself, which is what the `grade` script does."""

import os
import sys
from typing import NoReturn


def start() -> NoReturn:
    """Run the program and end the process; Ctrl-C ends it in order from the first moment on."""
    try:
        from grader.cli.main import main
    except KeyboardInterrupt:
        os.write(2, b"\ninterrupted: nothing had been started\n")
        os._exit(130)
    main()


if __name__ == "__main__":
    sys.argv[0] = "grade"
    start()
