"""Asks a model for the causes of one cluster, and whether the lines that it cites support them."""

from dataclasses import replace

from llma_assets.insights.causes.checks import checked_causes
from llma_assets.insights.causes.evidence import Cause, ClusterCauses, Evidence
from llma_assets.insights.causes.prompt import causes_messages, judging_messages
from llma_assets.insights.causes.schema import CauseItems, Judgements
from llma_assets.models import CallNotMade, ChatModel, ModelConfigurationError, ModelError, ModelUnavailable, Record


def ask_causes(evidence: Evidence, chat: ChatModel, record: Record, own_prompt: str = "") -> ClusterCauses:
    """The causes that are shown by lines which exist, and which a second question does not find unsupported.

    Raises:
        CallNotMade: the budget is used up; nothing was asked.
        ModelUnavailable: no answer.
        ModelConfigurationError: every further call would fail, too.
    """
    try:
        completion = chat.complete(
            causes_messages(evidence, own_prompt), CauseItems, offline=lambda: CauseItems(causes=[]), record=record
        )
    except (CallNotMade, ModelUnavailable, ModelConfigurationError):
        raise
    except ModelError as error:
        return ClusterCauses(evidence.cluster_id, "failed", f"no usable answer: {error.kind}", "")
    taken, refused = checked_causes(completion.value, evidence)
    if taken:
        taken, unsupported = _judged(taken, evidence, chat, record)
        refused += unsupported
    status = "found" if taken else "none"
    return ClusterCauses(evidence.cluster_id, status, "", completion.model, tuple(taken), tuple(refused))


def _judged(causes: list[Cause], evidence: Evidence, chat: ChatModel, record: Record) -> tuple[list[Cause], list[str]]:
    """Leave out causes that their own lines do not support; without an answer all stay, as not judged."""
    try:
        answer = chat.complete(
            judging_messages(causes, evidence), Judgements, offline=lambda: Judgements(items=[]), record=record
        )
    except ModelConfigurationError:
        raise
    except ModelError:
        return causes, []
    said = {each.number: each.supported for each in answer.value.items}
    kept: list[Cause] = []
    refused: list[str] = []
    for number, each in enumerate(causes, 1):
        if said.get(number, True):
            kept.append(replace(each, judged=number in said))
        else:
            refused.append(f"“{each.cause}”: the lines that it cites do not support it")
    return kept, refused
