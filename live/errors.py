"""What can go wrong between the engine and Supabase.

LiveError
├── FilterError         a filter that cannot be applied to its table
├── SubscriptionError   the websocket could not be opened, was refused, or ended
└── ReadError           a request over HTTP failed
    ├── NotAllowedError     it was answered with no: token, key or policy
    └── RefusedQueryError   it was answered that this cannot be asked
"""

from __future__ import annotations


class LiveError(Exception):
    """Any of them. The feed that meets it goes on trying."""


class FilterError(LiveError, ValueError):
    """A filter names no such column or operator, or a value that cannot be compared; the text says which."""


class SubscriptionError(LiveError):
    """The subscription is not there, or no longer."""


class ReadError(LiveError):
    """Nothing usable came back."""


class NotAllowedError(ReadError):
    """The service answered, and refused."""


class RefusedQueryError(ReadError):
    """The database cannot make sense of the question, such as of comparing a number with a word."""
