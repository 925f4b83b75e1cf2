"""The options of `cluster_causes`."""

from types import SimpleNamespace
from typing import Any

import pytest

from llma_assets.defs.cluster_causes import CausesConfig, cluster_causes
from llma_assets.models import ModelConfigurationError


def test_causes_are_not_asked_for_by_batch() -> None:
    ctx: Any = SimpleNamespace(options=CausesConfig(via="batch"))
    with pytest.raises(ModelConfigurationError, match="cannot ask via: batch; causes are asked for by calls alone"):
        cluster_causes.work(ctx)
