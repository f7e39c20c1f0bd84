"""The compressed copy of Streamlit's static files.

Streamlit sends 3.3 MB of scripts and styles as they are. The copy holds each of them compressed as well,
small copies of fonts, and the small scripts of the first page in one file. It lies in the Python environment
beside the Streamlit that it was made from.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import brotli
import streamlit
from servestatic.compress import Compressor

from frontend.bundle import write_bundle
from frontend.fonts import make_small_fonts, make_small_icons, narrow_faces
from frontend.icons import icons_of_scripts
from frontend.page import first_scripts
from frontend.search import make_search

SOURCE: Final = Path(streamlit.__file__).parent / "static"
"""The frontend of the installed Streamlit: `index.html`, and files with hashed names below `static/`."""

_EDITION: Final = 3
"""To be raised with each change of what a copy holds."""
_LARGE: Final = 1_000_000
"""Bytes. Only maps and diagrams that Tavern does not show have scripts of this size."""


def prepared() -> Path:
    """Return where the copy for the installed Streamlit is, or would be."""
    return Path(sys.prefix) / "share" / "tavern" / f"frontend-{streamlit.__version__}-{_EDITION}"


def prepare(source: Path = SOURCE, target: Path | None = None) -> Path:
    """Make the copy, or add the app's icons to it. Takes about twenty seconds of processor time at first.

    Arguments:
        source: a folder whose folder `static` holds the files.
        target: where the copy goes; None for `prepared()`.

    Returns:
        The folder of the copy, which is whole at any time that it exists.

    Raises:
        OSError: it cannot be written.
    """
    target = target or prepared()
    if target.is_dir():
        make_small_icons(target / "media", icons_of_scripts(source / "static" / "js"))
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        shutil.copytree(source / "static", unfinished, dirs_exist_ok=True)
        _add_small_files(source, unfinished)
        _compress(unfinished)
        unfinished.chmod(0o755)
        try:
            unfinished.rename(target)
        except OSError:
            # Somebody else was faster.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _add_small_files(source: Path, folder: Path) -> None:
    scripts = folder / "js"
    make_small_fonts(folder / "media", icons_of_scripts(scripts))
    for path in folder.glob("css/index.*.css"):
        path.write_text(narrow_faces(path.read_text(encoding="utf-8")), encoding="utf-8")
    search = make_search(scripts, {})
    names = first_scripts((source / "index.html").read_text(encoding="utf-8"), scripts)
    # The page has another script in the place of this one.
    write_bundle(scripts, names, [search.original] if search else [])


class _Compressor(Compressor):  # type: ignore[misc]  # servestatic has no types
    """Takes a fifth of the time of Brotli's highest quality, for 2 % larger scripts."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return bytes(brotli.compress(data, quality=10 if len(data) < _LARGE else 9))


def _compress(folder: Path) -> None:
    compressor = _Compressor(quiet=True)
    # The libraries compress without the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(compressor.compress, list(_compressible(folder, compressor))):
            pass


def _compressible(folder: Path, compressor: Compressor) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and compressor.should_compress(path.name):
            yield path
