"""Engine errors as HTTP answers: ClickHouse's code, the status a ClickHouse server gives it, the text."""

import re
from http import HTTPStatus

_CODE = re.compile(r"Code: (\d+)\.")
_VERSION = re.compile(r" ?\(version [^()]*(?:\([^()]*\))?\)\s*$")
# What is said twice, or of the pipe, where the data of an INSERT could not be read.
_CODE_AGAIN = re.compile(r"^(Code: \d+\. DB::Exception: )\1+")
_NAME_AGAIN = re.compile(r"(\(\w+\)) \(version [^()]*\)\. \1$")
_PIPE = re.compile(r":? \(in file/uri /dev/fd/\d+\)|: While executing File: data for INSERT was parsed from file")

SYNTAX_ERROR = 62
UNKNOWN_FORMAT = 73
SESSION_IS_LOCKED = 373
SESSION_NOT_FOUND = 372
UNKNOWN_EXCEPTION = 1002
AUTHENTICATION_FAILED = 516

_STATUS = {
    **dict.fromkeys((36, 38, 41, 43, 47, 53, 62, 115, 130, 190, 349, 386, 44, 27, 26, 6, 70), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys((60, 81, 63, 46, 128, 34, 9, 73), HTTPStatus.NOT_FOUND),
    **dict.fromkeys((497, 164), HTTPStatus.FORBIDDEN),
    **dict.fromkeys((AUTHENTICATION_FAILED, 192, 193), HTTPStatus.FORBIDDEN),
    159: HTTPStatus.REQUEST_TIMEOUT,
    48: HTTPStatus.NOT_IMPLEMENTED,
    131: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


class QueryError(Exception):
    """A query failed: `code` is ClickHouse's, the text is the engine's own, `status` goes on the wire."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> HTTPStatus:
        return _STATUS.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR)

    @classmethod
    def of(cls, code: int, name: str, text: str) -> "QueryError":
        """An error that this server found itself, worded as the engine words its own."""
        return cls(code, f"Code: {code}. DB::Exception: {text}. ({name})")

    @classmethod
    def from_engine(cls, error: Exception) -> "QueryError":
        """Read code and text out of what chDB raised."""
        text = _VERSION.sub("", str(error)).strip()
        start = text.find("Code: ")
        text = text[start:] if start >= 0 else text
        text = _NAME_AGAIN.sub(r"\1", _CODE_AGAIN.sub(r"\1", _PIPE.sub("", text)))
        match = _CODE.match(text)
        return cls(int(match.group(1)) if match else UNKNOWN_EXCEPTION, text)
