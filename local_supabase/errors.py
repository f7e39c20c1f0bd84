"""The ways in which the embedded Supabase can fail to start.

LocalSupabaseError
├── AlreadyRunning      a second start on the same data folder
├── NotRunning          a command that needs a running stack
├── DataFolderError     the data folder cannot be used (unwritable, another version, another owner)
├── ProjectError        the project folder is missing or holds something unusable
├── PortBusy            an explicitly chosen port is taken
├── DiskFull            no space left where the data folder is
├── PostgresError       the database server cannot be found, created or started
├── MigrationError      a migration, the seed or the bootstrap was refused by Postgres
└── StartFailed         a stack started in the background did not get ready
"""

from __future__ import annotations


class LocalSupabaseError(Exception):
    """A start-up problem; its text is for the user and says what to do."""


class AlreadyRunning(LocalSupabaseError):
    """The data folder is in use by a running stack."""


class NotRunning(LocalSupabaseError):
    """No stack is running on the data folder."""


class DataFolderError(LocalSupabaseError):
    """The data folder cannot be used as it is."""


class ProjectError(LocalSupabaseError):
    """The project folder is missing or unusable."""


class PortBusy(LocalSupabaseError):
    """A port that was asked for by number is in use."""


class DiskFull(LocalSupabaseError):
    """There is no space left on the device of the data folder."""


class PostgresError(LocalSupabaseError):
    """The database server could not be found, created or started."""


class MigrationError(LocalSupabaseError):
    """Postgres refused a statement of a migration, the seed or the bootstrap."""


class StartFailed(LocalSupabaseError):
    """A stack started in the background ended before it was ready."""
