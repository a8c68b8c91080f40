"""The command line: one module a command, each imported when it is used."""

import gc

# Nothing of what is imported is garbage, and looking for it takes a tenth of the start. A batch makes enough to be looked at.
gc.set_threshold(50_000)
