"""What `llma doctor` learns of a model."""

from llma_assets.models import OfflineChat, OpenAIChat, OpenAIEmbedder, RetryPolicy, probe_chat, probe_embedder
from llma_assets.testing import ChatServer, Hang, Status, Vectors

QUICK = RetryPolicy(attempts=1, deadline_s=0.3, attempt_timeout_s=0.3)


def test_a_working_server_is_ok() -> None:
    with ChatServer() as server:
        chat = probe_chat(OpenAIChat("m", base_url=server.url))
        vectors = probe_embedder(OpenAIEmbedder("e", base_url=server.url))
    assert (chat.ok, chat.model, vectors.ok, vectors.model) == (True, "m", True, "e")
    assert "16 dimensions" in vectors.detail
    assert chat.latency_s > 0


def test_the_offline_chat_model_is_ok() -> None:
    assert probe_chat(OfflineChat()).ok


def test_a_wrong_key_is_said_without_the_key() -> None:
    with ChatServer(always=Status(401, "bad sk-secret")) as server:
        probe = probe_chat(OpenAIChat("m", api_key="sk-secret", base_url=server.url))
        vectors = probe_embedder(OpenAIEmbedder("e", api_key="sk-secret", base_url=server.url))
    assert not probe.ok
    assert not vectors.ok
    assert "OPENAI_API_KEY" in probe.detail
    assert "sk-secret" not in probe.detail + vectors.detail


def test_a_server_that_says_nothing_is_a_result_and_no_exception() -> None:
    with ChatServer(always=Hang()) as server:
        assert not probe_chat(OpenAIChat("m", base_url=server.url, policy=QUICK)).ok


def test_an_embedder_that_gives_one_vector_for_all_is_not_ok() -> None:
    with ChatServer(always=Vectors(((1.0, 0.0), (1.0, 0.0)))) as server:
        assert not probe_embedder(OpenAIEmbedder("e", base_url=server.url)).ok


def test_an_embedder_that_gives_zeros_is_not_ok() -> None:
    with ChatServer(always=Vectors(((0.0, 0.0), (1.0, 0.0)))) as server:
        assert not probe_embedder(OpenAIEmbedder("e", base_url=server.url)).ok
