"""What an evaluation found, in a word or a number."""

import math
from collections.abc import Mapping

from llma_assets.rendering.cleaning import Redacts, one_line
from llma_assets.rendering.events import is_flag


def verdict(properties: Mapping[str, object], redactor: Redacts | None = None) -> str:
    """PASS or FAIL, a score, categories, a sentiment, N/A, or why it was skipped; "" if nothing is stated.

    >>> verdict({"$ai_evaluation_result": True}), verdict({"$ai_evaluation_numeric_result": 0.75})
    ('PASS', '0.75')
    >>> verdict({"$ai_evaluation_numeric_result": 4, "$ai_evaluation_numeric_result_max": 5})
    '4 of 5'
    >>> verdict({"$ai_evaluation_skipped": True, "$ai_evaluation_skip_reason": "no_user_messages"})
    'SKIPPED: no_user_messages'
    """
    if is_flag(properties.get("$ai_evaluation_skipped")):
        why = properties.get("$ai_evaluation_skip_reason")
        return f"SKIPPED: {_word(why, redactor)}" if isinstance(why, str) and why else "SKIPPED"
    if _is_false(properties.get("$ai_evaluation_applicable")):
        return "N/A"
    score = _number(properties.get("$ai_evaluation_numeric_result"))
    if score is not None:
        most = _number(properties.get("$ai_evaluation_numeric_result_max"))
        return f"{score:g}" if most is None else f"{score:g} of {most:g}"
    for key in ("$ai_evaluation_categorical_result", "$ai_evaluation_result", "$ai_sentiment_label"):
        if found := _shown(properties.get(key), redactor):
            return found
    return ""


def _shown(value: object, redactor: Redacts | None) -> str:
    if is_flag(value):
        return "PASS"
    if _is_false(value):
        return "FAIL"
    if isinstance(value, list):
        return " + ".join(_word(each, redactor) for each in value[:10] if isinstance(each, str) and each)
    if isinstance(value, str) and value.strip():
        return _word(value, redactor)
    score = _number(value)
    return "" if score is None else f"{score:g}"


def _word(text: str, redactor: Redacts | None) -> str:
    """A word on a node's line, where `ERROR` and commas have a meaning of their own."""
    shown = one_line(text, 100, redactor).replace(",", ";")
    return shown.lower() if shown == "ERROR" else shown


def _is_false(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value[:64] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
