"""What becomes of questions to servers that answer as the real ones do; the bodies are in `model_servers.yaml`."""

import pytest

from llma_assets.testing import ServerCase, outcome_of, server_cases


@pytest.mark.parametrize("case", server_cases(), ids=lambda case: case.name)
def test_what_becomes_of_a_fault(case: ServerCase) -> None:
    assert outcome_of(case) == case.becomes
