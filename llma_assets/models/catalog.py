"""Which models a server offers, when they go, and what to say where it does not know the one that is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from llma_assets.models.completion import json_of
from llma_assets.models.errors import ModelConfigurationError, ModelError
from llma_assets.models.openai_server import OpenAIServer

if TYPE_CHECKING:
    import openai

SHOWN_MODELS = 6
_SHUTDOWNS = ("shutdown_date", "deprecation", "deprecation_date", "expiration_date", "retirement_date")
"""Members of a model in `/v1/models` that say when it goes. OpenAI's, Mistral's and Azure's, LiteLLM's, OpenRouter's"""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NAME = re.compile(r"[\w./:@+-]{1,120}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that a server lists.

    Attributes:
        name: the server's name for it.
        shutdown: the day on which it goes, None where none is told.
    """

    name: str
    shutdown: date | None = None


def offers(server: OpenAIServer) -> list[Offer]:
    """The models that a server lists.

    Raises:
        ModelError: it gives no list; not every server has one, and not every key may read it.
    """
    policy = replace(server.policy, attempts=1, deadline_s=min(10.0, server.policy.deadline_s))
    asked = server.with_policy(policy)

    def send(client: "openai.OpenAI", timeout_s: float) -> Any:
        return client.models.with_raw_response.list(timeout=timeout_s)

    try:
        reply = asked.call(send, deadline=asked.deadline(), on_failure=lambda _kind, _duration_s: None)
    finally:
        asked.close()
    found = json_of(reply.body)
    rows = found.get("data") if isinstance(found, dict) else found
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = [(row.get("id"), row) for row in listed]
    return [Offer(name, _shutdown(row)) for name, row in names if isinstance(name, str) and _NAME.fullmatch(name)]


def offer_of(model: str, listed: Sequence[Offer]) -> Offer | None:
    """The listed model that is asked for by this name; Gemini and Ollama list longer ones than they take."""
    return next((offer for offer in listed if offer.name in {model, f"models/{model}", f"{model}:latest"}), None)


def explained(error: ModelConfigurationError, server: OpenAIServer, model: str) -> ModelConfigurationError:
    """The error that a model gave; where its name or the path is wrong, with what the server has instead."""
    if error.kind != "not_found":
        return error
    try:
        listed = offers(server)
    except ModelError:
        return ModelConfigurationError(f"{error} (model {model!r} at {server.host})", kind=error.kind, said=error.said)
    names = [offer.name for offer in listed]
    if not names or offer_of(model, listed):
        return ModelConfigurationError(f"{error} (model {model!r} at {server.host})", kind=error.kind, said=error.said)
    near = [*get_close_matches(model, names, SHOWN_MODELS, 0.4), *names]
    shown = list(dict.fromkeys(near))[:SHOWN_MODELS]
    more = f" and {len(names) - len(shown):,} others" if len(names) > len(shown) else ""
    return ModelConfigurationError(
        f"{server.host} does not know the model {model!r}; it offers {', '.join(shown)}{more}",
        kind=error.kind,
        said=error.said,
    )


def _shutdown(row: dict[str, Any]) -> date | None:
    for name in _SHUTDOWNS:
        value = row.get(name)
        if isinstance(value, dict):  # Azure: by what the model is used for
            value = value.get("inference")
        if day := _day(value):
            return day
    return None


def _day(value: Any) -> date | None:
    try:
        if isinstance(value, str) and (found := _DAY.match(value)):
            return date.fromisoformat(found[0])
        if isinstance(value, int | float) and value > 0:
            return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None
