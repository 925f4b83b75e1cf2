"""How a run knows how many texts it made anew."""

import dagster as dg

from llma_assets.defs.finished import made_anew


def test_texts_made_anew_are_those_of_all_levels() -> None:
    details = {"traces_made_anew": 2, "generations_made_anew": 3, "traces_rendered": 40}
    assert made_anew({"details": dg.JsonMetadataValue(details)}) == 5
    assert made_anew({"details": dg.JsonMetadataValue({"traces_rendered": 40})}) == 0
    assert made_anew({}) == 0
