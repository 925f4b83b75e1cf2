"""Whether the models that a run needs are there, asked before work is done for them."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from functools import partial

from llma_assets.models.catalog import offer_of, offers
from llma_assets.models.choose import chat_model, embedder
from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError, ModelError, ModelUnavailable
from llma_assets.models.openai_chat import OpenAIChat
from llma_assets.models.openai_embedder import OpenAIEmbedder
from llma_assets.models.openai_server import OpenAIServer
from llma_assets.models.prices import price_of
from llma_assets.models.probe import ask_chat, ask_embedder
from llma_assets.models.protocols import ChatModel, Embedder
from llma_assets.settings import Settings

_PATIENCE_S = 20.0


def need_models(settings: Settings, chat_models: Collection[str | None] = (None,)) -> None:
    """Make sure that the chat models and the embedder are known to their server and may be used.

    A model that the server lists is taken to be there, which costs nothing; any other is asked one small question. A
    server that is away or busy now may be there later, so that is no error here.

    Args:
        chat_models: names of chat models, None for that of the settings.

    Raises:
        ModelConfigurationError: one cannot be used; one line with the variable, the model, and what there is instead.
    """
    for name in chat_models:
        chat = chat_model(settings, name)
        if isinstance(chat, OpenAIChat):
            asked = OpenAIChat(chat.name, server=_impatient(chat.server), effort=settings.reasoning_effort)
            _need("LLMA_CHAT_MODEL" if name is None else "model of a theme", asked, partial(ask_chat, asked))
    vectors = embedder(settings)
    if isinstance(vectors, OpenAIEmbedder):
        again = OpenAIEmbedder(vectors.name, server=_impatient(vectors.server))
        _need("LLMA_EMBEDDING_MODEL", again, partial(ask_embedder, again))


def shutdown_of(model: ChatModel | Embedder) -> date | None:
    """The day on which a model goes, by its server or else by the price list; None where none is known."""
    told = None
    if isinstance(model, OpenAIChat | OpenAIEmbedder):
        try:
            offer = offer_of(model.name, offers(model.server))
        except ModelError:
            offer = None
        told = offer.shutdown if offer else None
    price = price_of(model.name.rsplit("/", 1)[-1])
    return told or (price.shutdown if price else None)


def _need(variable: str, model: OpenAIChat | OpenAIEmbedder, ask: Callable[[], object]) -> None:
    try:
        if offer_of(model.name, offers(model.server)):
            return
    except ModelError:
        pass  # not every server has a list, and not every key may read it
    try:
        ask()
    except (InvalidAnswer, ModelUnavailable):
        return
    except ModelConfigurationError as error:
        raise ModelConfigurationError(f"{variable} is {model.name!r}: {error}", kind=error.kind) from None
    finally:
        model.close()


def _impatient(server: OpenAIServer) -> OpenAIServer:
    """The same server for one question: what is learned by it is not kept, and it is not waited for."""
    return server.with_policy(replace(server.policy, attempts=1, deadline_s=_PATIENCE_S, attempt_timeout_s=_PATIENCE_S))
