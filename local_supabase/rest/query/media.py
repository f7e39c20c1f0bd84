"""Media types: the Content-Type of a body, and the negotiation of a response's format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from local_supabase.rest.errors import no_media_type
from local_supabase.rest.memoize import memoized


class Format(Enum):
    """The format of a response's body."""

    JSON = "application/json"
    JSON_STRIPPED = "application/vnd.pgrst.array+json;nulls=stripped"
    OBJECT = "application/vnd.pgrst.object+json"
    OBJECT_STRIPPED = "application/vnd.pgrst.object+json;nulls=stripped"
    CSV = "text/csv"
    RAW = "the value as it is"
    OPENAPI = "application/openapi+json"

    @property
    def singular(self) -> bool:
        """Whether the response must have exactly one row."""
        return self in {Format.OBJECT, Format.OBJECT_STRIPPED}

    @property
    def strips_nulls(self) -> bool:
        """Whether keys with the value null are left out."""
        return self in {Format.JSON_STRIPPED, Format.OBJECT_STRIPPED}

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header."""
        return f"{self.value}; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One media type of an Accept header, without its quality."""

    name: str
    parameters: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """The name in PostgREST's errors."""
        if self.name.startswith("application/vnd.pgrst.plan"):
            return _plan_name(self)
        if self.parameters == ("nulls=stripped",) and self.name in _STRIPPABLE:
            return f"{_STRIPPABLE[self.name]};nulls=stripped"
        return _NAMES.get(self.name, self.name)


_STRIPPABLE = {
    "application/vnd.pgrst.object+json": "application/vnd.pgrst.object+json",
    "application/vnd.pgrst.object": "application/vnd.pgrst.object+json",
    "application/vnd.pgrst.array+json": "application/vnd.pgrst.array+json",
    "application/vnd.pgrst.array": "application/vnd.pgrst.array+json",
}
_NAMES = {
    "application/vnd.pgrst.object": "application/vnd.pgrst.object+json",
    "application/vnd.pgrst.array": "application/json",
    "application/vnd.pgrst.array+json": "application/json",
}
_PLAN_OPTIONS = ("analyze", "verbose", "settings", "buffers", "wal")


def _plan_name(accepted: Accepted) -> str:
    form = "json" if accepted.name.endswith("+json") else "text"
    target = next(
        (p.removeprefix("for=").strip('"') for p in accepted.parameters if p.startswith("for=")), None
    )
    requested = next(
        (p.removeprefix("options=") for p in accepted.parameters if p.startswith("options=")), ""
    ).split("|")
    options = [option for option in _PLAN_OPTIONS if option in requested]
    name = f'application/vnd.pgrst.plan+{form}; for="{target or "application/json"}"'
    return name + ("; options=" + "|".join(options) if options else "")


@memoized(512)
def parse_accept(header: str | None) -> tuple[Accepted, ...]:
    """Parse an Accept header, the most preferred media type first. Without one, every type is accepted."""
    if header is None or not header.strip():
        return (Accepted("*/*"),)
    weighted: list[tuple[float, int, Accepted]] = []
    for place, part in enumerate(_split(header)):
        name, *parameters = [piece.strip() for piece in part.split(";")]
        if not name:
            continue
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        rest = tuple(p for p in parameters if not p.startswith("q=") and p)
        weighted.append((-_quality(quality), place, Accepted(name, rest)))
    weighted.sort(key=lambda item: item[:2])
    return tuple(item[2] for item in weighted) or (Accepted("*/*"),)


def _split(header: str) -> list[str]:
    # A comma inside quotes, as in for="a,b", does not end a media type.
    parts, quoted, start = [], False, 0
    for at, character in enumerate(header):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(header[start:at])
            start = at + 1
    return [*parts, header[start:]]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


_WITH_CHARSET = ("text/plain", "text/xml", "text/csv", "application/json")


def raw_content_type(media_type: str) -> str:
    """Return the Content-Type for the media type that a function's result has."""
    return f"{media_type}; charset=utf-8" if media_type in _WITH_CHARSET else media_type


@memoized(512)
def negotiate(header: str | None, own: str | None = None) -> Format:
    """Choose the format of the response for a table or function.

    Arguments:
        header: the Accept header.
        own: the media type of a function's value. A caller that accepts it gets the value unchanged.

    Raises:
        RestError: PGRST107, the caller accepts no available format. Plans are off, as on hosted projects.
    """
    accepted = parse_accept(header)
    for candidate in accepted:
        chosen = Format.RAW if candidate.name == own else _format(candidate)
        if chosen is not None:
            return chosen
    raise no_media_type([candidate.plain for candidate in accepted])


def _format(accepted: Accepted) -> Format | None:
    stripped = accepted.parameters == ("nulls=stripped",)
    match accepted.name:
        case "*/*" | "application/json" | "application/*":
            return Format.JSON if accepted.name != "application/*" else None
        case "text/csv":
            return Format.CSV
        case "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object":
            return Format.OBJECT_STRIPPED if stripped else Format.OBJECT
        case "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array":
            return Format.JSON_STRIPPED if stripped else Format.JSON
        case _:
            return None


@memoized(512)
def negotiate_root(header: str | None) -> Format:
    """Choose the format of the root's description, which is always OpenAPI.

    Raises:
        RestError: PGRST107, the caller does not accept it.
    """
    accepted = parse_accept(header)
    if any(c.name in {"*/*", "application/json", "application/openapi+json"} for c in accepted):
        return Format.OPENAPI
    raise no_media_type([candidate.plain for candidate in accepted])


def content_kind(header: str | None) -> str:
    """Return the media type of a body, without parameters. Without a Content-Type, it is JSON."""
    if header is None:
        return "application/json"
    return header.split(";", 1)[0].strip()
