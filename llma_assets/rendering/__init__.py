"""A trace's events as text: `render_trace`, `render_generation`, `read_messages`, `item_facts`.

Rendering is pure: equal events and options give equal text. Only `candidates`, `queries`, `store`, `privacy_mode` and
`partition` use the database.
"""

from llma_assets.rendering.candidates import HOME_DAYS, REACH, items_of_day
from llma_assets.rendering.checks import CHECKS
from llma_assets.rendering.event_tree import MOST_SHOWN, EventTree, TreeEvent, event_tree
from llma_assets.rendering.facts import ItemFacts, item_facts
from llma_assets.rendering.generation import render_generation
from llma_assets.rendering.message import Message, ToolCall
from llma_assets.rendering.message_parser import read_messages
from llma_assets.rendering.options import RENDERER, Loss, RenderedTrace, RenderOptions, hides_enough
from llma_assets.rendering.partition import render_partition
from llma_assets.rendering.queries import (
    CONTENT_OF_DAYS,
    DAY_OF_TRACE,
    TEXTS_MADE,
    TEXTS_MADE_OF_DAYS,
    TEXTS_MADE_OF_TEAM,
    TEXTS_MADE_SINCE,
    TIME_OF_GENERATION,
    Candidate,
    events_of_generations,
    events_of_traces,
    stored_text,
)
from llma_assets.rendering.store import Sampling, text_rows
from llma_assets.rendering.trace import render_trace
from llma_assets.rendering.truncation_report import loss_document

__all__ = [
    "CHECKS",
    "CONTENT_OF_DAYS",
    "DAY_OF_TRACE",
    "HOME_DAYS",
    "MOST_SHOWN",
    "REACH",
    "RENDERER",
    "TEXTS_MADE",
    "TEXTS_MADE_OF_DAYS",
    "TEXTS_MADE_OF_TEAM",
    "TEXTS_MADE_SINCE",
    "TIME_OF_GENERATION",
    "Candidate",
    "EventTree",
    "ItemFacts",
    "Loss",
    "Message",
    "RenderOptions",
    "RenderedTrace",
    "Sampling",
    "ToolCall",
    "TreeEvent",
    "event_tree",
    "events_of_generations",
    "events_of_traces",
    "hides_enough",
    "item_facts",
    "items_of_day",
    "loss_document",
    "read_messages",
    "render_generation",
    "render_partition",
    "render_trace",
    "stored_text",
    "text_rows",
]
