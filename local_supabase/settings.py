"""What a running stack knows about itself, handed to every service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from local_supabase.config import Config
from local_supabase.datadir import DataDir
from local_supabase.keys import Keys, Login

HOST = "127.0.0.1"
DATABASE = "postgres"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the stack listens and where its files are."""

    port: int
    database_port: int
    project: Path
    data_dir: DataDir
    config: Config = field(default_factory=Config)
    host: str = HOST
    database: str = DATABASE

    @property
    def url(self) -> str:
        """The base URL that clients are given, without a trailing slash."""
        return f"http://{self.host}:{self.port}"

    def dsn(self, keys: Keys, login: Login) -> str:
        """Return the connection URL of a login role; it contains the password."""
        password = quote(keys.passwords[login], safe="")
        return f"postgresql://{login.value}:{password}@{self.host}:{self.database_port}/{self.database}"
