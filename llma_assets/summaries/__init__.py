"""Summaries of traces and generations: text in, title, flow, bullets and notes with true line references out."""

from llma_assets.summaries.line_refs import LineNumbers, MendedRefs, mend_refs
from llma_assets.summaries.prompt import content_hash
from llma_assets.summaries.schema import Mode, Point, Summary, SummaryPoint, TraceSummary, mend, shorten
from llma_assets.summaries.summarise import SERVER_DOWN, SummaryResult, TextItem, summarise

__all__ = [
    "SERVER_DOWN",
    "LineNumbers",
    "MendedRefs",
    "Mode",
    "Point",
    "Summary",
    "SummaryPoint",
    "SummaryResult",
    "TextItem",
    "TraceSummary",
    "content_hash",
    "mend",
    "mend_refs",
    "shorten",
    "summarise",
]
