"""YAML in and out, as a hostile file may have it: bounded in size and depth, no aliases, no surprises of YAML 1.1.

`no`, `on`, `12:30` and `2026-11-07` are texts here, as whoever writes a filter's value means them; only `true`,
`false`, `null` and decimal numbers are something else. What a document holds belongs in `document.py`.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from llma_assets.themes.errors import InvalidThemesError, Problem

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 256 << 10
MAX_DEPTH = 12
_TAG = "tag:yaml.org,2002:"
# What YAML takes for the end of a line, and gives back as another one, unless it is escaped.
_FOLDED = re.compile("[\\r\\x85\\u2028\\u2029]")
# Each is narrower than YAML 1.1's own, so that what a dumper writes without quotes is read as the same text.
_PLAIN = (
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    ("float", re.compile(r"^[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?$"), "-+0123456789"),
)


def read_yaml(text: str | bytes) -> Any:
    """The plain value of a YAML document; None for an empty one.

    Raises:
        InvalidThemesError: it is too large or too deep, no UTF-8, no YAML, names a key twice, or has aliases; with
            the line where it was noticed.
    """
    import yaml

    try:
        content = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if len(content.encode()) > MAX_BYTES:
            raise InvalidThemesError([Problem("", f"more than {MAX_BYTES >> 10} KiB of YAML; split it into files")])
    except UnicodeError:
        raise InvalidThemesError([Problem("", "this is not UTF-8 text; store the file as UTF-8")]) from None
    try:
        return yaml.load(content, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidThemesError([Problem(where, error.problem or "this is not YAML")]) from None
    except yaml.YAMLError as error:
        raise InvalidThemesError([Problem("", " ".join(str(error).split()))]) from None
    except (ValueError, OverflowError) as error:  # a number or a day that Python cannot hold
        raise InvalidThemesError([Problem("", f"a value cannot be read: {error}")]) from None


def write_yaml(value: Any) -> str:
    """A plain value as YAML that `read_yaml` gives back; texts of several lines as blocks."""
    import yaml

    return str(yaml.dump(value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=110))


@cache
def _loader() -> "type[yaml.SafeLoader]":
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Reads plain values."""

        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            mark = self.peek_event().start_mark
            if self.check_event(yaml.AliasEvent):
                message = "aliases (*name) are not allowed here; write the value out"
                raise yaml.composer.ComposerError(None, None, message, mark)
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise yaml.composer.ComposerError(None, None, f"nested more than {MAX_DEPTH} deep", mark)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key_node, _ in node.value:
                if key_node.value in seen:
                    message = f"{str(key_node.value)[:80]!r} is given twice; keep one"
                    raise yaml.constructor.ConstructorError(None, None, message, key_node.start_mark)
                if isinstance(key_node.value, str):
                    seen.add(key_node.value)
            return super().construct_mapping(node, deep)

    for name, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(_TAG + name, pattern, list(first))
    return Loader


@cache
def _dumper() -> "type[yaml.SafeDumper]":
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        """Writes no aliases."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        style = '"' if _FOLDED.search(value) else "|" if "\n" in value else None
        return dumper.represent_scalar(f"{_TAG}str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper
