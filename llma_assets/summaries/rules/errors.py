"""Did something fail: events marked as errors, and results of tools that say so. What users say of errors is `ux`."""

import re

from llma_assets.summaries.rules.talk import Talk, lines_of
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict
from llma_assets.summaries.schema import shorten

_FAILED = re.compile(
    r"^\W{0,3}(?:error|exception|traceback|failed|failure|fatal)\b"
    r"|\"(?:error|exception|error_message)\": ?(?!null|\"\"|false|\{\}|\[\])",
    re.IGNORECASE,
)


def shows_errors(talk: Talk, facts: Facts) -> Verdict:
    """Relevant with an event marked as an error, or a result of a tool that tells of one."""
    found: dict[tuple[str, str], Signal] = {}
    for step, tool in talk.with_tools():
        is_result = (step, tool) in talk.results if step.kind != "error" else False
        if step.failed or step.kind == "error" or (is_result and _FAILED.search(step.text[:300])):
            name = tool if step.kind == "message" else step.name
            quote = shorten(step.text, 160)
            found.setdefault((name, quote), Signal("error", name, quote, lines_of(step)))
    signals = tuple(found.values())
    if signals:
        return Verdict(True, f"{len(signals)} errors told", signals)
    if facts.error_count:
        return Verdict(True, f"{facts.error_count} events marked as errors")
    return Verdict(False, "no error")
