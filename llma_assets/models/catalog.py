"""Which models a server lists, when it shuts them down, and the error where it does not know the one asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from llma_assets.models.completion import json_of
from llma_assets.models.errors import ModelConfigurationError, ModelError
from llma_assets.models.openai_server import OpenAIServer

if TYPE_CHECKING:
    import openai

SHOWN_MODELS = 6
_DEADLINE_S = 10.0
_SHUTDOWNS = ("shutdown_date", "deprecation", "deprecation_date", "expiration_date", "retirement_date")
"""Members of a model in `/v1/models` that tell its end. OpenAI's, Mistral's and Azure's, LiteLLM's, OpenRouter's"""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NAME = re.compile(r"[\w./:@+-]{1,120}")


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that a server lists.

    Attributes:
        name: the server's name for it.
        shutdown: the day on which the server shuts it down, None where it does not say.
    """

    name: str
    shutdown: date | None = None


def list_models(server: OpenAIServer) -> list[ListedModel]:
    """The models that a server lists.

    Raises:
        ModelError: it gives no list; not every server has one, and not every key may read it.
    """
    asked = server.with_policy(attempts=1, deadline_s=min(_DEADLINE_S, server.policy.deadline_s))

    def send(client: "openai.OpenAI", timeout_s: float) -> Any:
        return client.models.with_raw_response.list(timeout=timeout_s)

    try:
        found = json_of(asked.ask(send))
    finally:
        asked.close()
    rows = found.get("data") if isinstance(found, dict) else found
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = [(row.get("id"), row) for row in listed]
    return [ListedModel(name, _shutdown(row)) for name, row in names if isinstance(name, str) and _NAME.fullmatch(name)]


def find_listed(model: str, listed: Sequence[ListedModel]) -> ListedModel | None:
    """The listed model that is asked for by this name; Gemini and Ollama list longer ones than they take."""
    return next((each for each in listed if each.name in {model, f"models/{model}", f"{model}:latest"}), None)


def with_listed_models(error: ModelConfigurationError, server: OpenAIServer, model: str) -> ModelConfigurationError:
    """The error that a model gave; where its name or the path is wrong, with the models that the server lists."""
    if error.kind != "not_found":
        return error
    try:
        listed = list_models(server)
    except ModelError:
        return ModelConfigurationError(f"{error} (model {model!r} at {server.host})", kind=error.kind, said=error.said)
    names = [each.name for each in listed]
    if not names or find_listed(model, listed):
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
