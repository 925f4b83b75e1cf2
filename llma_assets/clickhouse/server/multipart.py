"""multipart/form-data bodies, as HTTP clients write them for form-encoded queries and external tables."""

import re
from dataclasses import dataclass

from llma_assets.clickhouse.server.errors import QueryError

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(r'[; ]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(r"[; ]filename\*?=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; a file if the client gave it a file name."""

    name: str
    data: bytes
    is_file: bool


def read_parts(content_type: str, body: bytes) -> list[Part]:
    """Split a body into its parts.

    Raises:
        QueryError: the boundary is missing, or the body does not contain it.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise QueryError.of(36, "BAD_ARGUMENTS", "The multipart request names no boundary")
    delimiter = b"\r\n--" + found.group(1).encode()
    sections = (b"\r\n" + body).split(delimiter)
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise QueryError.of(36, "BAD_ARGUMENTS", "The multipart request is cut off")
    parts = []
    for section in sections[1:-1]:
        header, separator, data = section.partition(b"\r\n\r\n")
        text = header.decode("utf-8", "replace")
        name = _NAME.search(text)
        if not separator or name is None:
            raise QueryError.of(36, "BAD_ARGUMENTS", "A part of the multipart request has no name")
        parts.append(Part(name.group(1).replace('\\"', '"'), data, _FILE.search(text) is not None))
    return parts
