"""What can go wrong between the engine and Supabase.

LiveError
├── FilterError         a filter does not fit its table
├── ProjectError        a folder is no Supabase project, or another one
├── SubscriptionError   the websocket could not be opened, was refused, or ended
├── UnsupportedStreamlitError
├── WriteError          a row was not written
│   └── ClashError          somebody else has changed the same columns
└── ReadError           a request over HTTP failed
    ├── NotAllowedError     the token, the key or a policy does not allow it
    ├── RefusedQueryError   the database cannot answer the query
    └── SetupError          the database lacks something that live tables need
        └── NotGrantedError     a right to select (also a NotAllowedError)
"""

from __future__ import annotations

from collections.abc import Mapping


class LiveError(Exception):
    """Base class of this package's errors. A feed that meets one keeps trying."""


class FilterError(LiveError, ValueError):
    """A filter names an unknown column or operator, or a value of the wrong type. The text says which."""


class ProjectError(LiveError):
    """A folder is not the Supabase project that a command needs. The text says what to do."""


class SubscriptionError(LiveError):
    """There is no subscription, or it has ended."""


class ReadError(LiveError):
    """No usable answer came back."""


class NotAllowedError(ReadError):
    """The service refused the token, the key or the access."""


class RefusedQueryError(ReadError):
    """The database rejects the query, such as one that compares a number with text. Retrying cannot help."""


class SetupError(ReadError):
    """The database lacks a function, a table, a column or a right. The text says which, and what mends it."""


class NotGrantedError(NotAllowedError, SetupError):
    """The role of the token may not use a table or a function at all, whatever the policies say."""


class UnsupportedStreamlitError(LiveError, ImportError):
    """The installed version of Streamlit does not work. The text says which do."""


class WriteError(LiveError):
    """A row was not written. The text can be shown to a person."""


class ClashError(WriteError):
    """Somebody else has changed the same columns of the row differently, and theirs was kept.

    - `mine` are the columns that were not saved, as they were to be.
    - `theirs` is the row as it is now.
    """

    def __init__(self, mine: Mapping[str, object], theirs: Mapping[str, object]) -> None:
        what = ", ".join(mine)
        super().__init__(f"Somebody else has changed {what} in the meantime. Choose which one to keep.")
        self.mine = mine
        self.theirs = theirs
