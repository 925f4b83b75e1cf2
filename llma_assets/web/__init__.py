"""The web app: pages for people and an HTTP API over the same reports as the command line. `llma web` starts it."""

from llma_assets.web.access import (
    TOKENS_FILE_VARIABLE,
    TOKENS_VARIABLE,
    Access,
    AccessError,
    Visitor,
    new_token,
    token_hash,
)
from llma_assets.web.app import create_app
from llma_assets.web.operations import METRICS_VARIABLE, DagsterCounts, Operations
from llma_assets.web.report_file import report_file
from llma_assets.web.site import Site
from llma_assets.web.timetable import Timetable, Timetables

__all__ = [
    "METRICS_VARIABLE",
    "TOKENS_FILE_VARIABLE",
    "TOKENS_VARIABLE",
    "Access",
    "AccessError",
    "DagsterCounts",
    "Operations",
    "Site",
    "Timetable",
    "Timetables",
    "Visitor",
    "create_app",
    "new_token",
    "report_file",
    "token_hash",
]
