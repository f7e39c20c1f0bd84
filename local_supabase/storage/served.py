"""How an object is served: what a browser may show of it, and the name under which it is saved."""

import re
import unicodedata
from urllib.parse import quote, unquote

# Whoever uploads an object chooses its type, so a browser shows only types that hold no scripts, and saves
# all others. PDF is not among them, because browsers show none under a `sandbox` policy.
_SHOWN = frozenset(
    {
        "application/json",
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/x-icon",
        "text/csv",
        "text/markdown",
        "text/plain",
        "video/mp4",
        "video/ogg",
        "video/webm",
    }
)
# A page under this policy has an origin of its own and runs nothing, whatever the browser makes of the file.
POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_LONGEST_NAME = 200
_UNSAFE_IN_QUOTES = '"\\'
# They reverse the shown order of letters, so that "gpj.exe" looks like "exe.jpg".
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def content_type(mime_type: str) -> str:
    """Return the `Content-Type` for an object's type. As on hosted, HTML is served as plain text."""
    clean = header_text(mime_type) or "application/octet-stream"
    return "text/plain" if "html" in clean.lower() else clean


def is_shown(mime_type: str) -> bool:
    """Return whether a browser may show an object of this type instead of saving it."""
    return mime_type.partition(";")[0].strip().lower() in _SHOWN


def asked_name(value: str) -> str:
    """Return the name in a decoded `download` parameter.

    supabase-js encodes it twice, so what is still an encoded text after one decoding is decoded once more.
    """
    if _STRAY_PERCENT.search(value):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value


def attachment(file_name: str) -> str:
    """Return a `Content-Disposition` that saves a file under a name (RFC 6266).

    A name that plain ASCII in quotes cannot hold is sent twice: encoded for clients that know RFC 8187, and
    in ASCII for those that do not, such as curl. The exact one comes first, because some clients take that.

    Arguments:
        file_name: the name; "" leaves it to the client.
    """
    name = _clean(file_name)
    if not name:
        return "attachment"
    simple = _ascii(name)
    # Some clients decode "%41" in the quoted form, too.
    if simple == name and "%" not in name:
        return f'attachment; filename="{name}"'
    encoded = quote(name, safe="!#$&+-.^_`|~")
    return f"attachment; filename*=UTF-8''{encoded}; filename=\"{simple}\""


def header_text(value: str) -> str:
    """Drop the characters of a stored text that a header cannot hold."""
    return "".join(character for character in value if " " <= character <= "~")


def _clean(file_name: str) -> str:
    """Replace what would leave the folder of downloads, and drop what cannot be seen."""
    kept = (
        "_" if character in "/\\" else character
        for character in file_name
        if unicodedata.category(character) not in ("Cc", "Cs") and character not in _DIRECTIONS
    )
    return _shortened("".join(kept).strip())


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 16:
        return name[:_LONGEST_NAME]
    return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}"


def _ascii(name: str) -> str:
    """Write a name in ASCII, without accents and with "_" for other letters."""
    letters = (
        character for character in unicodedata.normalize("NFKD", name) if not unicodedata.combining(character)
    )
    return "".join(
        letter if " " <= letter <= "~" and letter not in _UNSAFE_IN_QUOTES else "_" for letter in letters
    ).replace("/", "_")
