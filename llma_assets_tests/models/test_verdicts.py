"""What a server refuses for good is asked once among those who keep verdicts, and by everybody else each time."""

import pytest

from llma_assets.models import ChatMessage, ModelConfigurationError, ModelError, OpenAIChat, OpenAIEmbedder, RetryPolicy
from llma_assets.models.verdicts import verdicts_kept
from llma_assets.summaries import TraceSummary
from llma_assets.testing import ChatServer, Status
from llma_assets.testing.requests import Request

POLICY = RetryPolicy(attempts=1, deadline_s=20, attempt_timeout_s=10)
SUMMARY = TraceSummary(title="t", bullets=[])


def failure(server: ChatServer, model: str, key: str = "sk-test-secret-one") -> ModelError | None:
    """What a question to a model fails with, None where it is answered."""
    chat = OpenAIChat(model, api_key=key, base_url=server.url, policy=POLICY)
    try:
        chat.complete([ChatMessage("user", "say it")], TraceSummary, offline=lambda: SUMMARY)
    except ModelError as error:
        return error
    return None


def test_a_model_that_is_refused_is_not_asked_again_by_others_of_the_same_key() -> None:
    def judge(request: Request) -> Status | None:
        named = (request.body or {}).get("model")
        return Status(404) if named == "wrong" else Status(401) if "two" in request.headers["authorization"] else None

    with ChatServer(judge=judge) as server:
        with verdicts_kept():
            first = failure(server, "wrong")
            asked = len(server.calls())
            with verdicts_kept():
                second = failure(server, "wrong")
            third = failure(server, "wrong")
            assert len(server.calls()) == asked
            assert isinstance(first, ModelConfigurationError)
            assert [(str(each), each.kind) for each in (second, third) if each] == [(str(first), first.kind)] * 2
            assert second is not third
            assert failure(server, "right") is None
            refused = failure(server, "right", key="sk-test-secret-two")
            assert refused is not None
            assert refused.kind == "bad_key"
            assert failure(server, "right") is None, "another key of the same model is not refused"
        asked = len(server.calls())
        for _ in range(2):
            assert failure(server, "wrong") is not None
        assert len(server.calls()) == asked + 2, "nothing is kept outside"


def test_a_server_that_is_busy_and_a_prompt_that_is_refused_are_no_verdicts() -> None:
    for fault in (Status(503), Status(429), Status(422)):
        with ChatServer(always=fault) as server, verdicts_kept():
            failure(server, "some")
            asked = len(server.calls())
            failure(server, "some")
            assert len(server.calls()) > asked


def test_an_embedder_that_is_refused_fails_without_a_call_and_tells_that_no_vector_came() -> None:
    with ChatServer(always=Status(403)) as server, verdicts_kept():
        for _ in range(2):
            embedder = OpenAIEmbedder("some", api_key="sk-test-secret-one", base_url=server.url, policy=POLICY)
            with pytest.raises(ModelConfigurationError) as raised:
                embedder.embed(["a", "b"])
            assert raised.value.vectors is not None
            assert raised.value.vectors.shape[0] == 2
        assert len(server.calls("/v1/embeddings")) == 1
