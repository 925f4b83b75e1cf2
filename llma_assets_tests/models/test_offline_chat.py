"""The chat model without a network."""

import pytest
from pydantic import BaseModel

from llma_assets.models import OfflineChat, Usage


class Answer(BaseModel):
    """Any answer."""

    text: str


def test_it_gives_what_the_caller_computes_at_no_cost() -> None:
    usage: list[Usage] = []
    completion = OfflineChat().complete([], Answer, offline=lambda: Answer(text="from data"), record=usage.append)
    assert (completion.value.text, completion.model) == ("from data", "offline/extractive-1")
    assert [(u.model, u.input_tokens, u.output_tokens, u.cost_usd, u.error) for u in usage] == [
        ("offline/extractive-1", 0, 0, 0.0, "")
    ]


def test_an_answer_of_another_kind_is_a_defect_that_shows() -> None:
    with pytest.raises(TypeError, match="Answer"):
        OfflineChat().complete([], Answer, offline=lambda: "text")  # type: ignore[arg-type, return-value]
