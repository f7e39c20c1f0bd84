"""The command `python -m local_supabase`; see `stack.cli`."""

import sys

from local_supabase.stack.cli import main

sys.exit(main())
