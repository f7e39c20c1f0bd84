"""Text of files from people, in the encodings in which editors and spreadsheets write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from charset_normalizer import from_bytes

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),  # begins like the next one
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
CODE_PAGES: Final = {
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "cp932": "Japanese (Shift JIS)",
    "gbk": "Chinese, simplified (GBK)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean (Windows-949)",
    "mac_roman": "Western European (old Mac)",
}
"""The encodings in which Excel saves “CSV”, by Python's names. Each Windows has one; no file says it."""
_TERRITORIES: Final = {
    "cp1250": "PL CZ SK HU RO SI HR BA AL",
    "cp1251": "RU UA BY BG RS MK KZ KG MN",
    "cp1253": "GR CY",
    "cp1254": "TR AZ",
    "cp1255": "IL",
    "cp1256": "EG SA AE IQ JO LB SY MA DZ TN LY YE OM QA KW BH PS SD IR PK",
    "cp1257": "LT LV EE",
    "cp1258": "VN",
    "cp874": "TH",
    "cp932": "JP",
    "gbk": "CN SG",
    "big5": "TW HK MO",
    "cp949": "KR KP",
}
_CODE_PAGE_OF: Final = {
    territory: page for page, territories in _TERRITORIES.items() for territory in territories.split()
}
_HEAD: Final = 4096
_MOST_GUESSED: Final = 200_000
"""Bytes of a file that are looked at to guess its encoding."""


class NotTextError(Exception):
    """The file is no text in any of these encodings; the message says what to do."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text of a file. `choices` are the encodings it may have, likeliest first, if it does not tell."""

    text: str
    choices: Sequence[str] = ()


def read(data: bytes, territory: str, encoding: str | None = None) -> TextFile:
    """Read a file. `territory` is where it was probably written, `encoding` what the person has chosen.

    Raises:
        NotTextError: It is no text.
    """
    if data.startswith(b"PK\x03\x04"):
        raise NotTextError("This is a workbook or an archive. Save it as CSV and try again.")
    known = _known(data)
    if known is not None:
        return TextFile(known)
    choices = _choices(data, territory)
    if not choices:
        raise NotTextError("This file is no text. Save it as CSV in UTF-8 and try again.")
    return TextFile(data.decode(encoding if encoding in choices else choices[0]), choices)


def _known(data: bytes) -> str | None:
    """Return the text of a file that says in which encoding it is; None for others."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    return _decoded(data, _without_mark(data[:_HEAD]))


def _without_mark(head: bytes) -> str:
    """Tell UTF-16 without a mark by the zeros in every other byte of its header, which is in English."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head):
        return "utf-8"
    return "utf-16-le" if odd > even else "utf-16-be"


def _decoded(data: bytes, encoding: str) -> str | None:
    # Half a pair in one row must not make the other rows unreadable.
    errors = "strict" if encoding.startswith("utf-8") else "surrogatepass"
    try:
        return data.decode(encoding, errors)
    except UnicodeDecodeError:
        return None


def _choices(data: bytes, territory: str) -> list[str]:
    """Return the code pages that can read the file: that of the territory if it gives text, then others."""
    if b"\x00" in data:
        return []
    plausible = [
        page
        for match in from_bytes(data[:_MOST_GUESSED], cp_isolation=list(CODE_PAGES))
        for page in match.could_be_from_charset
    ]
    local = _CODE_PAGE_OF.get(territory, "cp1252")
    likely = sorted(plausible, key=lambda page: page != local)
    return [page for page in dict.fromkeys((*likely, local, *CODE_PAGES)) if _decoded_by(data, page)]


def _decoded_by(data: bytes, page: str) -> bool:
    try:
        data.decode(page)
    except UnicodeDecodeError:
        return False
    return True
