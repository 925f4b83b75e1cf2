"""The answers that are asked of a model. Docstrings and descriptions are part of the prompt; checks are in `checks`."""

from pydantic import BaseModel, ConfigDict, Field


class CitedLine(BaseModel):
    """A line that shows a cause."""

    model_config = ConfigDict(extra="ignore")

    trace: str = Field(description="The letter of the trace, such as A.")
    line: str = Field(description="The number of the line, such as L12.")
    quote: str = Field(description="3 to 20 words of that line, word for word.")


class CauseItem(BaseModel):
    """One probable cause."""

    model_config = ConfigDict(extra="ignore")

    cause: str = Field(description="One sentence: what in the application makes this happen.")
    evidence: list[CitedLine] = Field(description="1 to 6 lines that show it, of two traces where it can be.")
    confirm: str = Field(description="One sentence: what somebody would look at or try to confirm it.")


class CauseItems(BaseModel):
    """Probable causes of one cluster."""

    model_config = ConfigDict(extra="ignore")

    causes: list[CauseItem] = Field(description="0 to 3 causes, the most probable first; none where none is shown.")


class Judgement(BaseModel):
    """Whether the cited lines support one cause."""

    model_config = ConfigDict(extra="ignore")

    number: int = Field(description="The number of the claim in the data.")
    supported: bool = Field(description="True only if these lines alone make the claim probable.")


class Judgements(BaseModel):
    """One judgement a claim."""

    model_config = ConfigDict(extra="ignore")

    items: list[Judgement] = Field(description="One for each claim in the data.")
