"""Who may see which teams, and change things: tokens, and users that a proxy names.

A token is stored as its SHA-256 alone: it is 32 random bytes, so that no slow hash is needed. Which request is refused
because of where it comes from belongs in `request_guard`.
"""

import hashlib
import hmac
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

TOKENS_FILE_VARIABLE = "LLMA_WEB_TOKENS_FILE"
TOKENS_VARIABLE = "LLMA_WEB_TOKENS"
PROXY_VARIABLE = "LLMA_WEB_PROXY"
USER_HEADER_VARIABLE = "LLMA_WEB_USER_HEADER"
DEFAULT_USER_HEADER = "x-forwarded-user"


class AccessError(ValueError):
    """Tokens or settings of access are invalid; the message says where and what would be right."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    Attributes:
        name: stands in the history of what is changed.
        teams: the teams that exist for the visitor, None for all.
        may_change: whether anything may be changed.
    """

    name: str
    teams: frozenset[int] | None = None
    may_change: bool = True

    def sees(self, team_id: int) -> bool:
        """Whether a team exists for the visitor."""
        return self.teams is None or team_id in self.teams


class Entry(BaseModel):
    """One `[[visitors]]` of the tokens file: who it is, and what they may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    user: str | None = None
    teams: Literal["all"] | list[Annotated[int, Field(ge=0)]]
    rights: Literal["read", "change"] = "read"

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.sha256 is None) == (self.user is None):
            raise ValueError("give sha256, the hash of a token, or user, the name that a proxy sends; one of them")
        return self

    @property
    def visitor(self) -> Visitor:
        """Who it is."""
        teams = None if self.teams == "all" else frozenset(self.teams)
        return Visitor(self.name, teams, self.rights == "change")


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    Attributes:
        entries: those who are let in.
        is_open: whether everybody is, which only a server on the loopback interface may do.
        owner: the name under which changes are kept where everybody is let in.
        proxy: the address of the proxy whose header names the user, None for none.
        user_header: that header, in lower case.
    """

    entries: tuple[Entry, ...] = ()
    is_open: bool = True
    owner: str = "web"
    proxy: str | None = None
    user_header: str = DEFAULT_USER_HEADER

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, owner: str = "web") -> Self:
        """The rules in the environment.

        Raises:
            AccessError: a setting is invalid.
        """
        entries = (
            *_entries_of_file(environ.get(TOKENS_FILE_VARIABLE, "").strip()),
            *read_entries(environ.get(TOKENS_VARIABLE, ""), TOKENS_VARIABLE),
        )
        proxy = environ.get(PROXY_VARIABLE, "").strip() or None
        if proxy is None and any(each.user is not None for each in entries):
            raise AccessError(f"a visitor is named by `user`, but {PROXY_VARIABLE} names no proxy that sends it")
        header = environ.get(USER_HEADER_VARIABLE, "").strip().lower() or DEFAULT_USER_HEADER
        return cls(entries, not entries, owner, proxy, header)

    def visitor(self, token: str | None, *, peer: str | None = None, user: str | None = None) -> Visitor | None:
        """Who sent a request; None if nobody is known who did.

        Args:
            token: as it was sent, None without one.
            peer: the address that the connection comes from.
            user: the value of the proxy's header.
        """
        if self.is_open:
            return Visitor(self.owner)
        if token:
            digest = token_hash(token)
            for entry in self.entries:
                if entry.sha256 is not None and hmac.compare_digest(entry.sha256, digest):
                    return entry.visitor
        if user and self.proxy is not None and peer == self.proxy:
            return next((entry.visitor for entry in self.entries if entry.user == user), None)
        return None


def new_token() -> str:
    """A new token, which is shown once and never stored."""
    return f"llma_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_entries(text: str, where: str) -> Sequence[Entry]:
    """Parse the TOML of tokens.

    Args:
        where: names its place in messages.

    Raises:
        AccessError: it is invalid.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AccessError(f"{where} is not valid TOML: {error}") from None
    found = document.pop("visitors", [])
    if document or not isinstance(found, list):
        raise AccessError(f"{where} may hold [[visitors]] only; `llma web --new-token NAME` prints one")
    entries = []
    for number, each in enumerate(found, start=1):
        try:
            entries.append(Entry.model_validate(each))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise AccessError(f"{where}, visitor {number}{', ' if field else ''}{field}: {first['msg']}") from None
    return entries


def _entries_of_file(name: str) -> Sequence[Entry]:
    if not name:
        return ()
    try:
        return read_entries(Path(name).read_text(encoding="utf-8"), name)
    except OSError as error:
        raise AccessError(f"{TOKENS_FILE_VARIABLE} names {name}, which cannot be read: {error.strerror}") from None
