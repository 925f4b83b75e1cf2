"""Summaries of traces and generations: text in, title, flow, bullets and notes with true line references out."""

from llma_assets.summaries.batches import WAITING, open_days, themes_to_look_at
from llma_assets.summaries.dead_letters import DeadLetter, bring_back, dead_letters
from llma_assets.summaries.line_refs import LineNumbers, MendedRefs, mend_refs
from llma_assets.summaries.prompt import content_hash
from llma_assets.summaries.schema import Mode, Point, Summary, SummaryPoint, TraceSummary, mend, shorten
from llma_assets.summaries.summarise import SummaryResult, TextItem, summarise
from llma_assets.summaries.weighing import TIME_IS_UP

__all__ = [
    "TIME_IS_UP",
    "WAITING",
    "DeadLetter",
    "LineNumbers",
    "MendedRefs",
    "Mode",
    "Point",
    "Summary",
    "SummaryPoint",
    "SummaryResult",
    "TextItem",
    "TraceSummary",
    "bring_back",
    "content_hash",
    "dead_letters",
    "mend",
    "mend_refs",
    "open_days",
    "shorten",
    "summarise",
    "themes_to_look_at",
]
