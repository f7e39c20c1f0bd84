"""The errors of starting, stopping and configuring the embedded Supabase.

LocalSupabaseError
├── AlreadyRunningError  a second start on the same data folder
├── NotRunningError      a command that needs a running stack
├── DataFolderError      the data folder cannot be used (unwritable, another version, another owner)
├── ProjectError         the project folder is missing or holds something unusable
├── PortBusyError        an explicitly chosen port is taken
├── DiskFullError        no space left where the data folder is
├── PostgresError        the database server cannot be found, created or started
├── MigrationError       a migration, the seed or the bootstrap was refused by Postgres
└── StartFailedError     a stack started in the background did not get ready
"""

from __future__ import annotations


class LocalSupabaseError(Exception):
    """The stack cannot do what was asked. The text says what the user can do."""


class AlreadyRunningError(LocalSupabaseError):
    """The data folder is in use by a running stack."""


class NotRunningError(LocalSupabaseError):
    """No stack is running on the data folder."""


class DataFolderError(LocalSupabaseError):
    """The data folder cannot be used as it is."""


class ProjectError(LocalSupabaseError):
    """The project folder is missing or unusable."""


class PortBusyError(LocalSupabaseError):
    """An explicitly chosen port is in use."""


class DiskFullError(LocalSupabaseError):
    """There is no space left on the device of the data folder."""


class PostgresError(LocalSupabaseError):
    """The database server could not be found, created or started."""


class MigrationError(LocalSupabaseError):
    """Postgres refused a statement of a migration, the seed or the bootstrap."""


class StartFailedError(LocalSupabaseError):
    """A stack started in the background ended before it was ready."""
