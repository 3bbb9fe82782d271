"""The constants of a study's analysis."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gnn_checkpointing.study.vocabulary import Amount, MemoryForm, Part, TimeForm


class LawForms(Part):
    """The forms of law that are tried; what was listed after the data had been seen is named."""

    memory: tuple[MemoryForm, ...] = Field(
        ("additive", "blocks", "several_blocks", "largest_of_two", "largest_of_two_blocks", "quadratic", "power"),
        min_length=1,
        description="for bytes: additive, blocks, several_blocks, largest_of_two, largest_of_two_blocks, quadratic, "
        "power; of equals the first is taken",
    )
    time: tuple[TimeForm, ...] = Field(
        ("additive", "blocks", "knee", "quadratic", "power"),
        min_length=1,
        description="for seconds: additive, blocks, knee, quadratic, power; of equals the first is taken",
    )
    added: tuple[MemoryForm | TimeForm, ...] = Field(
        (),
        description="of these, the forms that were added when the data had been seen: the report and its audit say so",
    )

    @model_validator(mode="after")
    def _added_are_tried(self) -> LawForms:
        for form in self.added:
            if form not in (*self.memory, *self.time):
                raise ValueError(
                    f"added: {form} is not among the forms that are tried; list it under memory or time, too"
                )
        return self


class Analysis(Part):
    """Constants of the analysis, fixed before the data are seen."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="level of every interval")
    resamples: Annotated[int, Field(ge=200, le=100_000)] = Field(
        2000, description="bootstrap resamples: at least ten for each share of 1 - confidence"
    )
    laws: LawForms = LawForms()
    capacity_gib: tuple[Amount, ...] = Field(
        (1, 8), min_length=1, description="memory limits for which the largest degree that fits is given"
    )

    @model_validator(mode="after")
    def _enough_resamples(self) -> Analysis:
        # An interval's end is an order statistic: five resamples beyond each end, or it is the most extreme one drawn.
        needed = round(10 / (1 - self.confidence))
        if self.resamples < needed:
            raise ValueError(
                f"confidence {self.confidence} needs at least {needed} resamples, not {self.resamples}; allowed are up "
                "to 100000, so raise resamples or lower confidence"
            )
        return self
