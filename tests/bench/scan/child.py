"""`python -m bench.scan.child ARGS...`: `warmcast ARGS...`, then what it needed as the last line of standard error.

That is the process's peak memory in MB, and its processor seconds.
"""

from __future__ import annotations

import sys
import time

from bench.machine import peak_mb
from warmcast import cli

if __name__ == "__main__":
    code = cli.main(sys.argv[1:])
    sys.stderr.write(f"\n{peak_mb():.1f} {time.process_time():.1f}\n")
    sys.exit(code)
