"""The kinds of sources, one module each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from llma_assets.sources.kinds import events, laminar, langfuse, opik, otel, posthog, signoz
from llma_assets.sources.reading import Kind

_MODULES = (otel, langfuse, posthog, signoz, laminar, opik, events)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({module.KIND.name: module.KIND for module in _MODULES})
"""By name, in the order of the help page."""
