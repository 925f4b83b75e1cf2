"""Health checks of the chat model and the embedding model: one small question each."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from llma_assets.cli.run.probes.finding import Finding, not_installed
from llma_assets.settings import Settings

if TYPE_CHECKING:
    from llma_assets.models import ChatModel, Embedder, Probe

M = TypeVar("M", bound="ChatModel | Embedder")


def probe_models(settings: Settings) -> Iterator[Finding]:
    """Ask the chat model and the embedder one small question each; a paid model costs a fraction of a cent."""
    from llma_assets.models import chat_model, embedder, probe_chat, probe_embedder, require_packages

    yield from _probe_model("chat model", "LLMA_CHAT_MODEL", lambda: chat_model(settings), probe_chat)
    yield from _probe_model(
        "embedding model", "LLMA_EMBEDDING_MODEL", lambda: require_packages(embedder(settings)), probe_embedder
    )


def _probe_model(
    name: str, variable: str, choose: "Callable[[], M]", probe: "Callable[[M], Probe]"
) -> Iterator[Finding]:
    from llma_assets.models import ModelConfigurationError, shutdown_date

    advice = f"Check {variable}, OPENAI_API_KEY and OPENAI_BASE_URL."
    try:
        model = choose()
        found = probe(model)
        shutdown = shutdown_date(model) if found.ok else None
    except ModelConfigurationError as error:
        is_missing = error.kind == "not_installed" and "llma-assets[" in str(error)
        yield not_installed(name, str(error)) if is_missing else Finding(name, "fail", str(error), advice)
        return
    detail = f"{found.model}: {found.detail} in {found.latency_s:.2f} s"
    yield Finding(name, "ok", detail) if found.ok else Finding(name, "fail", detail, advice)
    if shutdown is not None:
        days = (shutdown - datetime.now(UTC).date()).days
        when = f"in {days:,} days" if days > 0 else "that date has passed"
        detail = f"{found.model} is shut down on {shutdown}: {when}"
        yield Finding(
            f"{name}'s end", "warn", detail, f"Set {variable} to another model; its results are then made again."
        )
