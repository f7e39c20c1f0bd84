"""SQL stand-ins for extensions that the wheel's Postgres lacks: pgcrypto, uuid-ossp and others.

Postgres finds them by `extension_control_path` in the folder `extension`. A stand-in refuses what it cannot
do right. Start reading with `extension/pgcrypto--1.3.sql`.
"""

from __future__ import annotations

from pathlib import Path

CONTROL_PATH = Path(__file__).parent
"""The folder whose subfolder `extension` holds the control files."""
