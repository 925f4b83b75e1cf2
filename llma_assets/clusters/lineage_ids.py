"""Deterministic ids of lineages and edits: equal input gives the same id."""

from uuid import UUID, uuid5

NAMESPACE = UUID("0c5a4f3e-54b8-5d0b-8a86-3a5f8e1f6d02")


def first_lineage_id(team_id: int, theme_id: str, input_id: UUID, cluster_id: int) -> str:
    """The id of a lineage that begins with this cluster of a run."""
    return str(uuid5(NAMESPACE, f"{team_id}|{theme_id}|{input_id}|{cluster_id}"))
