"""The door's clock."""

import os
import time
from datetime import UTC, datetime


def now():
    """Return the time in UTC: the machine's, or where CLOCK is set, that many seconds after the start of 1970."""
    return datetime.fromtimestamp(float(os.environ.get("CLOCK", time.time())), UTC)
