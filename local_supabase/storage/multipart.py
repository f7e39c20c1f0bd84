"""Reads ``multipart/form-data`` as it arrives: passes on the bytes of the file and keeps the small fields."""

from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from local_supabase.storage.errors import StorageError, no_content, too_large

MAX_FIELD_BYTES = 1024 * 1024
_MAX_FIELDS = 50
_MAX_HEADER_BYTES = 16 * 1024


@dataclass(slots=True)
class _Part:
    """The part that is being read."""

    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class FormReader:
    """Reads one form with one file, chunk by chunk.

    The file is the first part with a file name; further files are ignored.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise no_content()
        self.fields: dict[str, str] = {}
        self.content_type = "application/octet-stream"
        self.has_file = False
        self._file_bytes = bytearray()
        self._part = _Part()
        self._is_chosen = False
        self._parts = 0
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_data,
                "on_part_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> bytes:
        """Read a chunk and return the bytes of the file in it."""
        try:
            self._parser.write(chunk)
        except MultipartParseError:
            raise StorageError(400, "InvalidRequest", "Malformed multipart body") from None
        taken = bytes(self._file_bytes)
        self._file_bytes.clear()
        return taken

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_FIELDS:
            raise too_large("form")
        self._part = _Part()
        self._is_chosen = False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._check_header()

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._header_name) + len(self._header_value) > _MAX_HEADER_BYTES:
            raise too_large("form")

    def _on_header_end(self) -> None:
        name = self._header_name.decode("latin-1").lower()
        self._part.headers[name] = self._header_value.decode("latin-1")
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get("content-disposition", ""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        self._part.is_file = b"filename" in options
        if self._part.is_file and not self.has_file:
            self.has_file = self._is_chosen = True
            self.content_type = self._part.headers.get("content-type") or self.content_type

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_chosen:
            self._file_bytes += data[start:end]
        elif not self._part.is_file:
            self._part.data += data[start:end]
            if len(self._part.data) > MAX_FIELD_BYTES:
                raise too_large("user_metadata" if self._part.name == "metadata" else "form")

    def _end(self) -> None:
        if not self._part.is_file:
            self.fields[self._part.name] = self._part.data.decode("utf-8", "replace")
