"""The command line: `python -m livetables init` and `python -m livetables check`."""

from __future__ import annotations

import sys

from livetables.database.commands import main

sys.exit(main())
