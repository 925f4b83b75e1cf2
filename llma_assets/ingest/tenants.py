"""Teams of the projects and services that records name."""

from collections.abc import Callable

from llma_assets.ingest.errors import LineError

MOST_TENANTS = 1_000
_LONGEST_TENANT = 200


def teams_of_tenants(team_of: Callable[[str], int]) -> Callable[[str], int]:
    """Each tenant's team, looked up once; a file of very many is rather one whose field says something else."""
    known: dict[str, int] = {}

    def team(tenant: str) -> int:
        if tenant not in known:
            if len(known) == MOST_TENANTS:
                raise LineError("wrong_type", f"the file names more than {MOST_TENANTS:,} projects; add --team N")
            if len(tenant) > _LONGEST_TENANT:
                raise LineError("too_long", f"a project's name has at most {_LONGEST_TENANT} characters; add --team N")
            known[tenant] = team_of(tenant)
        return known[tenant]

    return team
