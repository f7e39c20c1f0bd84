"""The configuration of nginx, filled in from the templates beside this file."""

from __future__ import annotations

import getpass
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

_TEMPLATES: Final = Path(__file__).parent
_SBIN: Final = "/usr/sbin:/usr/local/sbin:/sbin"
"""Debian puts nginx where few users' PATH leads."""
_FAILURES: Final = "max_fails=3 fail_timeout=5s"
_NEXT: Final = 100_000
"""The weight of the process that takes over. The others have 1."""
_MOST_FILES: Final = 65_536
_BODIES: Final = ("client_body", "proxy")
_OPTIONAL: Final = ("fastcgi", "uwsgi", "scgi")

MISSING: Final = (
    "nginx is not installed, and several processes need it in front of them. Install it (Debian and Ubuntu: "
    "sudo apt install nginx; macOS: brew install nginx), or start one process: make run"
)


def find_nginx() -> str | None:
    """Return the path of nginx, None if it is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def tavern_conf(processes: Sequence[str], *, listen: str = "80", server_name: str = "_") -> str:
    """Return the configuration for nginx's http block.

    Arguments:
        processes: the addresses of the app's processes, such as `127.0.0.1:8511`.
        listen: what nginx listens on, as its directive takes it.
        server_name: the name of the site; `_` is any.
    """
    numbers = range(1, len(processes) + 1)
    return _filled(
        "tavern.conf",
        {
            "ROUTES": _lines(f"{number} tavern_{number};" for number in numbers),
            "SERVERS": _lines(f"server {process} {_FAILURES};" for process in processes),
            "UPSTREAMS": "\n".join(_own_upstream(processes, number) for number in numbers),
            "NAMES": _lines(
                rf'"~(^|, ){re.escape(process)}$" {number};'
                for number, process in enumerate(processes, start=1)
            ),
            "LISTEN": listen,
            "SERVER_NAME": server_name,
        },
    )


def _own_upstream(processes: Sequence[str], number: int) -> str:
    """Return the upstream of the people of one process: that one, and after it the others in an order."""
    own, *others = [*processes[number - 1 :], *processes[: number - 1]]
    weights = [_NEXT, *[1] * len(others)]
    servers = [f"server {own} {_FAILURES};"]
    servers += [
        f"server {other} backup weight={weight} {_FAILURES};"
        for other, weight in zip(others, weights, strict=False)
    ]
    return f"upstream tavern_{number} {{\n    zone tavern_{number} 64k;\n{_lines(servers)}\n}}"


def nginx_conf(folder: Path, built_with: str) -> str:
    """Return the configuration of an nginx that keeps everything in a folder, beside its `tavern.conf`.

    `built_with` is what `nginx -V` prints: a directive of a module that is left out would be an error.
    """
    kinds = [*_BODIES, *(kind for kind in _OPTIONAL if f"--without-http_{kind}_module" not in built_with)]
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], _MOST_FILES)
    if files == resource.RLIM_INFINITY:
        files = _MOST_FILES
    return _filled(
        "nginx.conf",
        {
            "FOLDER": str(folder),
            # As root it would write as another user, who may not enter the folder.
            "USER": f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
            "FILES": str(files),
            # Each tab has two: one to the browser, and one to a process.
            "CONNECTIONS": str(files // 2),
            "TEMPORARY": _lines(f'{kind}_temp_path "{folder}/{kind}";' for kind in kinds),
        },
    )


def write_configuration(folder: Path, nginx: str, tavern: str) -> Path:
    """Write both files into the folder and return the path of the outer one."""
    built_with = subprocess.run([nginx, "-V"], check=True, capture_output=True, text=True).stderr
    (folder / "tavern.conf").write_text(tavern)
    path = folder / "nginx.conf"
    path.write_text(nginx_conf(folder, built_with))
    return path


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (_TEMPLATES / template).read_text()
    return re.sub("@([A-Z_]+)@", lambda match: values[match[1]], text)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
