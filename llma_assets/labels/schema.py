"""The answer that is asked of a model: one label for each cluster. The checks of labels belong in `label_checks`.

The schema in the request is strict; validation is lenient, so that one invalid label does not cost the others.
Docstrings and descriptions of the models are part of the prompt.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

UNREADABLE_ID = -2
"""Cluster id of an answer's item whose own id could not be read; no cluster has it."""


class LabelItem(BaseModel):
    """The label of one cluster, as a model wrote it."""

    model_config = ConfigDict(extra="ignore")

    cluster_id: int = Field(description="The cluster_id of the cluster in the data.")
    title: str = Field(description="3 to 10 words that say what users do in this cluster and in no other.")
    description: list[str] = Field(description="2 to 5 points, one short sentence each, of what is typical.")

    @model_validator(mode="before")
    @classmethod
    def _any_shape(cls, data: Any) -> Any:
        if isinstance(data, LabelItem):
            return data
        given = data if isinstance(data, Mapping) else {}
        return {name: given.get(name) for name in ("cluster_id", "title", "description")}

    @field_validator("cluster_id", mode="before")
    @classmethod
    def _readable_id(cls, value: Any) -> int:
        if isinstance(value, bool):
            return UNREADABLE_ID
        if isinstance(value, int):
            return value if abs(value) < 2**31 else UNREADABLE_ID
        text = value.strip() if isinstance(value, str) else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else UNREADABLE_ID

    @field_validator("title", mode="before")
    @classmethod
    def _readable_title(cls, value: Any) -> str:
        return value if isinstance(value, str) else ""

    @field_validator("description", mode="before")
    @classmethod
    def _points(cls, value: Any) -> list[str]:
        if isinstance(value, str):
            return value.splitlines()
        return [point for point in value if isinstance(point, str)] if isinstance(value, list) else []


class ClusterLabels(BaseModel):
    """Labels for all the clusters of one call."""

    model_config = ConfigDict(extra="ignore")

    items: list[LabelItem] = Field(description="One item for each cluster in the data.")
