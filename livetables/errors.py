"""What can go wrong between the engine and Supabase.

LiveError
├── FilterError         a filter does not fit its table
├── ProjectError        a folder is no Supabase project, or another one
├── SubscriptionError   the websocket could not be opened, was refused, or ended
└── ReadError           a request over HTTP failed
    ├── NotAllowedError     the token, the key or a policy does not allow it
    └── RefusedQueryError   the database cannot answer the query
"""

from __future__ import annotations


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
