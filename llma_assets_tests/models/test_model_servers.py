"""What becomes of questions to servers that answer as the real ones do; the bodies are in `model_servers.yaml`."""

import pytest

from llma_assets_tests.model_servers import Case, cases, outcome


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_becomes_of_a_fault(case: Case) -> None:
    assert outcome(case) == case.becomes
