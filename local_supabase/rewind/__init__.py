"""Takes a test stack back to the state after its migrations and its seed, in milliseconds.

`Rewind.keep` copies all rows once. `Rewind.go_back` finds in the write-ahead log which tables were
written since, and puts their rows back; it also clears the mailbox, the files and what the services
hold in memory. `people` makes accounts. Only a stack that was started for tests offers both.
`functions.sql` is the part in the database.
"""

from local_supabase.rewind.state import Rewind, RewindBlockedError

__all__ = ["Rewind", "RewindBlockedError"]
