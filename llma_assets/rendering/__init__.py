"""A trace's events as text: `render_trace`, `render_generation`, `read_messages`, `item_facts`.

Pure, except for the room's `assets.py` and `queries.py`: equal events and options give equal text.
"""

from llma_assets.rendering.facts import ItemFacts, item_facts
from llma_assets.rendering.generation import render_generation
from llma_assets.rendering.message import Message, ToolCall
from llma_assets.rendering.options import Loss, RenderedTrace, RenderOptions, hides_enough
from llma_assets.rendering.reading import read_messages
from llma_assets.rendering.redaction import PatternError, check_patterns
from llma_assets.rendering.trace import render_trace

__all__ = [
    "ItemFacts",
    "Loss",
    "Message",
    "PatternError",
    "RenderOptions",
    "RenderedTrace",
    "ToolCall",
    "check_patterns",
    "hides_enough",
    "item_facts",
    "read_messages",
    "render_generation",
    "render_trace",
]
