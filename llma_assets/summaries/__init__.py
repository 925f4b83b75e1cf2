"""Summaries of traces and generations: title, flow, bullets and notes with valid line references.

Rendering the texts belongs in `rendering`, embedding the summaries in `embeddings`.
"""

from llma_assets.summaries.batch_rows import STAGE, days_with_open_batches, themes_with_open_batches
from llma_assets.summaries.batches import WAITING
from llma_assets.summaries.checks import CHECKS
from llma_assets.summaries.dead_letters import DeadLetter, days_with_failures, dead_letters, requeue
from llma_assets.summaries.estimate import ANSWER_TOKENS, forecast_summaries, frame_tokens, relevance_so_far
from llma_assets.summaries.extractive import ANSWERED, ASKED
from llma_assets.summaries.line_refs import CheckedRefs, LineNumbers, check_refs
from llma_assets.summaries.partition import store_summaries
from llma_assets.summaries.pending import pending
from llma_assets.summaries.prompt import PROMPT_VERSION, content_hash, question_hash
from llma_assets.summaries.queries import STANDS_FOR
from llma_assets.summaries.reuse import stored_answers
from llma_assets.summaries.rule_answers import RuleAnswers, facts_of
from llma_assets.summaries.rules import Verdict, applies, read_norms
from llma_assets.summaries.schema import Mode, Point, Summary, SummaryPoint, TraceSummary, clean_summary, shorten
from llma_assets.summaries.selection import relevant_items
from llma_assets.summaries.selection_queries import FUNNEL_OF_DAYS
from llma_assets.summaries.stored import items_of_window, summaries_of_item, summaries_of_items, texts_without_summary
from llma_assets.summaries.summarise import summarise
from llma_assets.summaries.task import SummaryResult, TextItem
from llma_assets.summaries.theme_run import RunLimits
from llma_assets.summaries.triage import TIME_IS_UP
from llma_assets.summaries.words import without_courtesies

__all__ = [
    "ANSWERED",
    "ANSWER_TOKENS",
    "ASKED",
    "CHECKS",
    "FUNNEL_OF_DAYS",
    "PROMPT_VERSION",
    "STAGE",
    "STANDS_FOR",
    "TIME_IS_UP",
    "WAITING",
    "CheckedRefs",
    "DeadLetter",
    "LineNumbers",
    "Mode",
    "Point",
    "RuleAnswers",
    "RunLimits",
    "Summary",
    "SummaryPoint",
    "SummaryResult",
    "TextItem",
    "TraceSummary",
    "Verdict",
    "applies",
    "check_refs",
    "clean_summary",
    "content_hash",
    "days_with_failures",
    "days_with_open_batches",
    "dead_letters",
    "facts_of",
    "forecast_summaries",
    "frame_tokens",
    "items_of_window",
    "pending",
    "question_hash",
    "read_norms",
    "relevance_so_far",
    "relevant_items",
    "requeue",
    "shorten",
    "store_summaries",
    "stored_answers",
    "summaries_of_item",
    "summaries_of_items",
    "summarise",
    "texts_without_summary",
    "themes_with_open_batches",
    "without_courtesies",
]
