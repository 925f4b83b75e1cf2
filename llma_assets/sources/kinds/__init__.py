"""The kinds of sources, one module each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from llma_assets.sources.kinds import events, otel
from llma_assets.sources.reading import Kind

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({module.KIND.name: module.KIND for module in (events, otel)})
"""By name, in the order of the help page."""
