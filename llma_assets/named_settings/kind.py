"""A kind of named setting: how one is checked, and what is said of one that is wrong."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from llma_assets.themes import Problem, did_you_mean

S = TypeVar("S")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def variable(prefix: str) -> Callable[[str], str]:
    """A validator of the name of an environment variable: with a prefix, so that no file has another secret sent."""

    def check(name: str) -> str:
        if name and not (name.startswith(prefix) and name.isidentifier() and name == name.upper()):
            raise ValueError(f"must be the name of an environment variable that begins with {prefix}, not its value")
        return name

    return check


def line(text: str) -> str:
    """A validator of a text that goes into one line of a message.

    Raises:
        ValueError: it holds line breaks or control characters.
    """
    if not text.isprintable():
        raise ValueError("goes over several lines or holds control characters; write it on one line")
    return text.strip()


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """A kind of setting, such as a rule.

    Attributes:
        name: its word: the field with the name of one; with an s the field of a file that lists them.
        adapter: of its class, which has a field of that name and a `version`.
        fields: what a wrong field may have meant.
        wrong_together: field and message of each thing that is wrong although every field alone is right.
        ships: what every team has, by name; a file says only what is to be otherwise.
    """

    name: str
    adapter: TypeAdapter[S]
    fields: tuple[str, ...]
    wrong_together: Callable[[S], Iterable[tuple[str, str]]]
    ships: Mapping[str, S] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """The field of a file that lists them."""
        return f"{self.name}s"

    def settings_of(self, item: S) -> dict[str, Any]:
        """Plain values by field, as a file has them."""
        found: dict[str, Any] = self.adapter.dump_python(item, mode="json")
        return found

    def shipped_settings(self, name: str) -> dict[str, Any]:
        """The plain values of what ships under a name; {} for nothing."""
        return self.settings_of(self.ships[name]) if name in self.ships else {}

    def read(self, settings: Any, where: str = "") -> tuple[S | None, list[Problem]]:
        """One from plain values, over what ships under its name; None if a field is wrong; and all that is wrong."""
        if not isinstance(settings, dict):
            return None, [Problem(where, f"must be a mapping of fields that begins with `{self.name}:`")]
        name = settings.get(self.name)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            words = "a lower-case letter, then lower-case letters, digits and _, up to 64"
            return None, [Problem(f"{where}.{self.name}", f"{str(name)[:80]!r} is not a name: {words}")]
        try:
            found = self.adapter.validate_python({**self.shipped_settings(name), **settings})
        except ValidationError as error:
            return None, [self._problem(each, where) for each in error.errors(include_url=False)]
        return found, [Problem(f"{where}.{field}", message) for field, message in self.wrong_together(found)]

    def _problem(self, error: Any, where: str) -> Problem:
        path = where + "".join(f"[{part}]" if isinstance(part, int) else f".{str(part)[:80]}" for part in error["loc"])
        shown = repr(error["input"])[:80]
        match error["type"]:
            case "unexpected_keyword_argument":
                hint = did_you_mean(str(error["loc"][-1]), self.fields)
                return Problem(path, f"there is no such field{hint or '; there are ' + ', '.join(self.fields)}")
            case "missing" | "missing_argument":
                return Problem(path, "is missing")
            case "literal_error":
                choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
                hint = did_you_mean(error["input"], choices)
                return Problem(path, f"{shown} is not one of {', '.join(choices)}{hint}")
            # The value of a variable's field may be a secret that was written into the file: it is not shown.
            case "value_error":
                return Problem(path, str(error["ctx"]["error"]))
            case _ if error["loc"] and str(error["loc"][-1]).endswith("_env"):
                return Problem(path, error["msg"])
            case _:
                return Problem(path, f"{shown}: {error['msg']}")
