"""The API is what its own description says, whatever is sent: requests made of the OpenAPI document.

Who may do what belongs in `web/test_access.py`.
"""

from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck

from llma_assets.web import Access, Site, create_app

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: make test-web")

EXAMPLES = 3
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
OPERATIONS = [
    (method.upper(), path)
    for path, each in create_app(Site(None, Access())).openapi()["paths"].items()  # type: ignore[arg-type]
    for method in each
]


@pytest.fixture(scope="module")
def schema(site: Site) -> Any:
    """The description, with the server that it is of."""
    host = {"host": "127.0.0.1"}
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(site), headers=host)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_described(schema: Any, method: str, path: str) -> None:
    """Status, type and schema of each answer are described; none is an error of the server."""
    schemathesis.checks.load_all_checks()
    checks = schemathesis.checks.CHECKS.get_by_names(CHECKS)

    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(case=schema[path][method].as_strategy())
    def asked(case: Any) -> None:
        if "team_id" in case.path_parameters:
            # Of the teams that there are, and of one that there is not; what is changed is of no team of other tests.
            case.path_parameters["team_id"] = case.path_parameters["team_id"] % 4 if method == "GET" else 60
        headers = {"host": "127.0.0.1"} | ({} if method == "GET" else {"content-type": "application/json"})
        answer = case.call_and_validate(headers=headers, checks=checks)
        assert answer.status_code not in (401, 403)

    asked()
