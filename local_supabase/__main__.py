"""`python -m local_supabase`."""

import sys

from local_supabase.cli import main

sys.exit(main())
