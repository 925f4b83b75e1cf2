"""Summaries of traces and generations: text in, title, flow, bullets and notes with true line references out."""

from llma_assets.summaries.batches import STAGE, WAITING, open_days, themes_to_look_at
from llma_assets.summaries.checks import CHECKS
from llma_assets.summaries.dead_letters import DeadLetter, bring_back, dead_letters
from llma_assets.summaries.estimate import ANSWER_TOKENS, forecast_summaries, frame_tokens, relevance_so_far
from llma_assets.summaries.judging import Judge, facts_of
from llma_assets.summaries.line_refs import LineNumbers, MendedRefs, mend_refs
from llma_assets.summaries.partition import store_summaries
from llma_assets.summaries.pending import pending
from llma_assets.summaries.prompt import PROMPT_VERSION, content_hash, question_hash
from llma_assets.summaries.queries import STANDS_FOR
from llma_assets.summaries.reuse import known_answers
from llma_assets.summaries.rules import Verdict, applies, read_norms
from llma_assets.summaries.schema import Mode, Point, Summary, SummaryPoint, TraceSummary, mend, shorten
from llma_assets.summaries.selection import relevant_items
from llma_assets.summaries.selection_queries import FUNNEL_OF_DAYS
from llma_assets.summaries.stored import items_of_window, summaries_of_item, summaries_of_items, texts_without_summary
from llma_assets.summaries.storing import RunLimits
from llma_assets.summaries.summarise import summarise
from llma_assets.summaries.task import SummaryResult, TextItem
from llma_assets.summaries.weighing import TIME_IS_UP

__all__ = [
    "ANSWER_TOKENS",
    "CHECKS",
    "FUNNEL_OF_DAYS",
    "PROMPT_VERSION",
    "STAGE",
    "STANDS_FOR",
    "TIME_IS_UP",
    "WAITING",
    "DeadLetter",
    "Judge",
    "LineNumbers",
    "MendedRefs",
    "Mode",
    "Point",
    "RunLimits",
    "Summary",
    "SummaryPoint",
    "SummaryResult",
    "TextItem",
    "TraceSummary",
    "Verdict",
    "applies",
    "bring_back",
    "content_hash",
    "dead_letters",
    "facts_of",
    "forecast_summaries",
    "frame_tokens",
    "items_of_window",
    "known_answers",
    "mend",
    "mend_refs",
    "open_days",
    "pending",
    "question_hash",
    "read_norms",
    "relevance_so_far",
    "relevant_items",
    "shorten",
    "store_summaries",
    "summaries_of_item",
    "summaries_of_items",
    "summarise",
    "texts_without_summary",
    "themes_to_look_at",
]
