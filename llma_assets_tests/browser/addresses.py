"""Every page, by team: what is looked at for access, looks and hostile words."""

from uuid import UUID

from llma_assets_tests.browser.planted import CALM
from llma_assets_tests.reports.stored_runs import DAY, ids
from llma_assets_tests.web.planted import HOSTILE, MINE

CALM_PAGES = (
    "/",
    "/sign-in",
    "/api",
    f"/teams/{CALM}/results?date={DAY}&theme=traces",
    f"/teams/{CALM}/results?date=2026-10-01",
    f"/teams/{CALM}/items?date={DAY}&theme=traces",
    f"/teams/{CALM}/map?date={DAY}&theme=traces",
    f"/teams/{CALM}/week?date={DAY}&theme=traces",
    f"/teams/{CALM}/alerts",
    f"/teams/{CALM}/alerts/{UUID(int=8)}",
    f"/teams/{CALM}/trends?theme=traces",
    f"/teams/{CALM}/clusters/payment?theme=traces&date={DAY}",
    f"/teams/{CALM}/trace?id=c1-3-0",
    f"/teams/{CALM}/trace?id=e0",
    f"/teams/{CALM}/tasks",
    f"/teams/{CALM}/trackers",
    f"/teams/{CALM}/themes",
    f"/teams/{CALM}/themes/traces",
    f"/teams/{CALM}/themes/traces/edit",
    f"/teams/{CALM}/themes-new",
    f"/teams/{CALM}/health?date={DAY}",
    f"/teams/{CALM}/nowhere",
)
HOSTILE_PAGES = (
    f"/teams/{MINE}/results?date={DAY}&theme=traces",
    f"/teams/{MINE}/items?date={DAY}&theme=traces",
    f"/teams/{MINE}/items?date={DAY}&theme=traces&q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E",
    f"/teams/{MINE}/map?date={DAY}&theme=traces",
    f"/teams/{MINE}/week?date={DAY}&theme=traces",
    f"/teams/{MINE}/alerts",
    f"/teams/{MINE}/alerts/{UUID(int=7)}",
    f"/teams/{MINE}/tasks?state=all",
    f"/teams/{MINE}/trackers",
    f"/teams/{MINE}/themes-new",
    f"/teams/{MINE}/trace?id=huge",
    f"/teams/{MINE}/trace?id=h0",
    f"/teams/{MINE}/clusters/traces-9?theme=traces&date={DAY}",
    f"/teams/{MINE}/trace?id=t14",
    f"/teams/{MINE}/trends?theme=traces",
    f"/teams/{MINE}/themes",
    f"/teams/{MINE}/themes/hostile",
    f"/teams/{MINE}/themes/hostile/edit",
    f"/teams/{MINE}/health?date={DAY}",
    f"/teams/{MINE}/results?date={DAY}&theme=%3Cscript%3Ealert(1)%3C/script%3E",
    *(f"/teams/{MINE}/clusters/traces-{number}?theme=traces&date={DAY}" for number in range(len(HOSTILE) - 1)),
    *(f"/teams/{MINE}/trace?id={item}" for item in (*ids(0, 5), *ids(10, 14))),
)
