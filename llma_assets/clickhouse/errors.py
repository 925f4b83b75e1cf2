"""Errors of the database. Their messages never show a secret."""

import re

# Codes after which the same statement may succeed later, and why.
RETRYABLE_CODES = {
    159: "TIMEOUT_EXCEEDED: the server was busy",
    160: "TOO_SLOW: the server was busy",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES: others have to finish first",
    203: "NO_FREE_CONNECTION: others have to finish first",
    209: "SOCKET_TIMEOUT: the network was slow",
    210: "NETWORK_ERROR: the network failed",
    225: "NO_ZOOKEEPER: the coordinator was away",
    236: "ABORTED: the server was shutting down or merging",
    241: "MEMORY_LIMIT_EXCEEDED: other queries held the memory",
    242: "TABLE_IS_READ_ONLY: a replica was recovering",
    252: "TOO_MANY_PARTS: merges have to catch up",
    279: "ALL_CONNECTION_TRIES_FAILED: no replica answered",
    285: "TOO_FEW_LIVE_REPLICAS: replicas have to come back",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE: another insert has to reach its replicas first",
    319: "UNKNOWN_STATUS_OF_INSERT: inserts are idempotent by key, so sending it again is safe",
    425: "SYSTEM_ERROR: the operating system refused for now",
    439: "CANNOT_SCHEDULE_TASK: no free thread",
    999: "KEEPER_EXCEPTION: the coordinator was away",
}
_SECRETS = (
    re.compile(r"(://[^/:@\s]*:)[^@/\s]+@"),
    re.compile(r"(?i)((?:password|secret_access_key|access_token)\s*[=:]\s*)('[^']*'|\S+)"),
)
_CLIENT = re.compile(r"^Received ClickHouse exception, code: \d+, server response: ")
_NAME = re.compile(r"\s*(\([A-Z][A-Z0-9_]+\))\s*$")
# The text from here on quotes the statement, the context, or the setting that would let the disk run full.
_REST = re.compile(
    r"[.:,]? (?:\(?[Ii]n (?:scope|query):? |While processing |Stack trace:|to meet the configured threshold)"
    r"|: while executing 'FUNCTION "
)
_QUERY_ID = re.compile(r" ?/\* query_id: \S* \*/")
_FULL_DISK = re.compile(r"NOT_ENOUGH_SPACE|No space left on device")
_SHOWN = 300


def without_secrets(text: str) -> str:
    """The text with `***` for passwords in URLs and in `password=…`."""
    text = _SECRETS[0].sub(r"\1***@", text)
    return _SECRETS[1].sub(r"\1***", text)


def error_summary(text: str) -> str:
    """A server's error in one line: the fault and ClickHouse's name for it, without the statement.

    >>> error_summary("Code: 47. DB::Exception: Unknown identifier `x`. In scope SELECT x. (UNKNOWN_IDENTIFIER)")
    'Code: 47. DB::Exception: Unknown identifier `x`. (UNKNOWN_IDENTIFIER)'
    """
    line = _QUERY_ID.sub("", _CLIENT.sub("", " ".join(text.split())))
    name = _NAME.search(line)
    words = _REST.split(line[: name.start()] if name else line, maxsplit=1)[0]
    words = words if len(words) <= _SHOWN else words[:_SHOWN].rstrip() + " …"
    if _FULL_DISK.search(line):
        words = f"the disk of the database is full; free some space and run it again: {words}"
    return f"{words.removesuffix('.')}. {name.group(1)}" if name else words


class DatabaseError(Exception):
    """A statement failed.

    Attributes:
        code: ClickHouse's error code, 0 for none.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(without_secrets(message))
        self.code = code

    @property
    def retryable(self) -> bool:
        """Whether the same statement may succeed later (`RETRYABLE_CODES`)."""
        return self.code in RETRYABLE_CODES


class DatabaseUnavailable(DatabaseError):
    """The server could not be reached or started, or the connection broke before the response was complete."""

    @property
    def retryable(self) -> bool:
        """Always: a server may come back."""
        return True


class NoDatabase(DatabaseError):
    """The database does not exist; the message says where it was searched for, and which command creates it."""


class EmbeddedNotInstalled(DatabaseError):
    """The embedded server cannot be started without its package; the message names the extra that brings it."""


class MigrationError(DatabaseError):
    """The schema could not be brought up to date; the message names the file and the statement."""

    @property
    def retryable(self) -> bool:
        """Never: the file or the database has to change."""
        return False
