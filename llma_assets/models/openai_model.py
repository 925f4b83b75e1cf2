"""What chat models and embedders behind an OpenAI-compatible server have in common: name, server, who pays."""

import copy
from typing import Self, TypedDict, Unpack

from llma_assets.models.budget import Allowance
from llma_assets.models.openai_server import OpenAIServer
from llma_assets.models.retry import RetryPolicy


class Connection(TypedDict, total=False):
    """Where a model is asked.

    Attributes:
        api_key: None for servers that want none.
        base_url: root of the API, ending in `/v1` as a rule; None for OpenAI itself.
        policy: retries and deadline.
        server: in place of these three: one that other models are asked at, too. What is learned of it is shared.
    """

    api_key: str | None
    base_url: str | None
    policy: RetryPolicy | None
    server: OpenAIServer | None


class OpenAIModel:
    """A model by name on any OpenAI-compatible server."""

    def __init__(self, model: str, **connection: Unpack[Connection]) -> None:
        """
        Args:
            model: the name that the server knows it by; results carry it.
            connection: see `Connection`.

        Raises:
            ModelConfigurationError: the key or the URL cannot be used.
        """
        self._model = model
        self._server = connection.get("server") or OpenAIServer(
            api_key=connection.get("api_key"),
            base_url=connection.get("base_url"),
            policy=connection.get("policy") or RetryPolicy(),
        )
        self._allowance: Allowance | None = None

    @property
    def name(self) -> str:
        """The model's name, as results carry it."""
        return self._model

    @property
    def server(self) -> OpenAIServer:
        """Where the model is asked."""
        return self._server

    def within(self, allowance: Allowance) -> Self:
        """The same model on the same connections, each of whose HTTP calls `allowance` pays for."""
        paid = copy.copy(self)
        paid._allowance = allowance
        return paid

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._model!r}, {self._server!r})"
