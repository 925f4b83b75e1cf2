"""Engine errors as HTTP responses: ClickHouse's code, the status of a ClickHouse server for it, and the text."""

import re
from http import HTTPStatus

_CODE = re.compile(r"Code: (\d+)\.")
_VERSION = re.compile(r" ?\(version [^()]*(?:\([^()]*\))?\)\s*$")
# Repetitions and mentions of the pipe in errors about the data of an INSERT.
_CODE_AGAIN = re.compile(r"^(Code: \d+\. DB::Exception: )\1+")
_NAME_AGAIN = re.compile(r"(\(\w+\)) \(version [^()]*\)\. \1$")
_PIPE = re.compile(r":? \(in file/uri /dev/fd/\d+\)|: While executing File: data for INSERT was parsed from file")

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
    """A query failed: `code` is ClickHouse's, `message` the engine's, `status` that of the HTTP response."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> HTTPStatus:
        return _STATUS.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR)

    @classmethod
    def of(cls, code: int, name: str, text: str) -> "QueryError":
        """An error of this server, in the form of the engine's errors."""
        return cls(code, f"Code: {code}. DB::Exception: {text}. ({name})")

    @classmethod
    def from_engine(cls, error: Exception) -> "QueryError":
        """Parse code and text of an error that chDB raised."""
        text = _VERSION.sub("", str(error)).strip()
        start = text.find("Code: ")
        text = text[start:] if start >= 0 else text
        text = _NAME_AGAIN.sub(r"\1", _CODE_AGAIN.sub(r"\1", _PIPE.sub("", text)))
        match = _CODE.match(text)
        return cls(int(match.group(1)) if match else UNKNOWN_EXCEPTION, text)
