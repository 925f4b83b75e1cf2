"""Finds the text of a member in the text of a JSON object, so that numbers and escapes stay as they were sent."""

import re
from json import JSONDecoder

from llma_assets.ingest.errors import LineError

_SPACE = re.compile(r"[ \t\r\n]*")


def text_of_member(line: bytes, name: str) -> bytes:
    """The text of the last member called `name` of the valid JSON object `line`."""
    text = line.decode()
    decoder = JSONDecoder()
    at = _skip_space(text, _skip_space(text, 0) + 1)
    span = (at, at)
    try:
        while text[at] == '"':
            key, at = decoder.raw_decode(text, at)
            start = _skip_space(text, _skip_space(text, at) + 1)
            _, end = decoder.raw_decode(text, start)
            if key == name:
                span = (start, end)
            at = _skip_space(text, end)
            if text[at] == ",":
                at = _skip_space(text, at + 1)
    except RecursionError:
        raise LineError("too_deep", "the line is nested too deeply") from None
    return text[slice(*span)].encode()


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
