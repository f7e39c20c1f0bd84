"""The settings of a running stack, which every service receives."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from local_supabase.keys import Keys, Login
from local_supabase.stack.config import Config
from local_supabase.stack.datadir import DataDir

HOST = "127.0.0.1"
DATABASE = "postgres"
REWIND_PATH = "/rewind"
"""Where a test stack goes back to its first state, below the address of the mailbox."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the stack listens and where its files are.

    Arguments:
        port: the gateway's port.
        database_port: Postgres' port.
        mailbox_port: the mailbox's port.
        project: the Supabase project's folder.
        data_dir: the data folder.
        config: what of the project's `config.toml` the stack follows.
        testing: whether the stack is for tests: it can go back to its first state, and may lose its data when
            the machine stops.
        host: the loopback address that both listen on.
        database: the database's name.
    """

    port: int
    database_port: int
    mailbox_port: int
    project: Path
    data_dir: DataDir
    config: Config = field(default_factory=Config)
    testing: bool = False
    host: str = HOST
    database: str = DATABASE

    @property
    def url(self) -> str:
        """The base URL for clients, without a trailing slash."""
        return f"http://{self.host}:{self.port}"

    def mailbox_url(self, keys: Keys) -> str:
        """Return the address of the mailbox. Whoever knows it can read every mail."""
        return f"http://{self.host}:{self.mailbox_port}/{keys.mailbox_secret}"

    def dsn(self, keys: Keys, login: Login) -> str:
        """Return the connection URL of a login role. It contains the password."""
        password = quote(keys.passwords[login], safe="")
        return f"postgresql://{login.value}:{password}@{self.host}:{self.database_port}/{self.database}"
