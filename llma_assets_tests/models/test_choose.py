"""Which model the settings ask for, and that no other is taken in silence."""

import pytest

from llma_assets.models import ModelConfigurationError, OfflineChat, OpenAIChat, OpenAIEmbedder, chat_model, embedder
from llma_assets.settings import Settings

KEY = "sk-secret-1"


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
    assert (chat.name, vectors.name) == ("gpt-4.1-nano", "text-embedding-3-large")


def test_a_server_without_a_key_gives_online_models() -> None:
    assert isinstance(chat_model(settings(OPENAI_BASE_URL="http://localhost:8000/v1")), OpenAIChat)


def test_an_online_model_without_key_and_server_is_an_error_and_not_offline() -> None:
    with pytest.raises(ModelConfigurationError, match="OPENAI_API_KEY"):
        chat_model(settings(LLMA_CHAT_MODEL="gpt-4.1-nano"))
    with pytest.raises(ModelConfigurationError, match="LLMA_EMBEDDING_MODEL=offline"):
        embedder(settings(LLMA_EMBEDDING_MODEL="text-embedding-3-small"))


def test_models_show_no_key() -> None:
    chosen = settings(OPENAI_API_KEY=KEY)
    assert KEY not in repr((chat_model(chosen), embedder(chosen)))
