"""Provider formats of messages, one module a family, each with one function: `read(item, role, read_nested)`.

`read` recognises its family by structure. It takes a JSON object, the role to use where the object names none, and a
parser for nested content; it returns the object's messages, or None if the object is of another family.

A module may also have `join(items)`: the one object that the events of a streamed answer add up to, or None if they are
of another family. It looks at the first events only before it returns None, because it is asked about every list.

Modules are found by their function `read`. Where families share keys, the more specific one has the smaller `ORDER`;
without one it is 60, after the providers and before what reads any framework's keys.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from llma_assets.rendering.message import Message
from llma_assets.rendering.provider_formats.nested import ReadNested

ProviderFormat = Callable[[Mapping[str, object], str, ReadNested], list[Message] | None]
Join = Callable[[Sequence[object]], Mapping[str, object] | None]

_DEFAULT_ORDER: Final = 60


def _order(module: ModuleType) -> tuple[int, str]:
    return getattr(module, "ORDER", _DEFAULT_ORDER), module.__name__


_MODULES: Final = sorted((import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)), key=_order)

PROVIDER_FORMATS: Final[tuple[ProviderFormat, ...]] = tuple(
    module.read for module in _MODULES if hasattr(module, "read")
)
_JOINS: Final[tuple[Join, ...]] = tuple(module.join for module in _MODULES if hasattr(module, "join"))


def joined_stream(items: Sequence[object]) -> Mapping[str, object] | None:
    """The object that the events of a stream add up to, or None if `items` are no such events."""
    if not isinstance(items[0], Mapping) or "role" in items[0]:
        return None
    return next((whole for join in _JOINS if (whole := join(items)) is not None), None)


__all__ = ["PROVIDER_FORMATS", "ProviderFormat", "ReadNested", "joined_stream"]
