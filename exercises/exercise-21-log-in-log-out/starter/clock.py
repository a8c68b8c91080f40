"""The entrance's clock."""

import os
import time


def now():
    """Return the seconds since the start of 1970: the machine's, or those in CLOCK where that is set."""
    return float(os.environ.get("CLOCK", time.time()))
