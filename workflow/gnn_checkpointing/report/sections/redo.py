"""How to redo the study."""

from __future__ import annotations

from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Paragraph, Section, Step, Steps
from gnn_checkpointing.report.provenance import study_command
from gnn_checkpointing.report.texts import texts

_text = texts("redo")


def redo_section(inputs: ReportInputs) -> Section:
    """Return the section with the commands that make this report again."""
    study = inputs.study
    run = study_command(study)
    measure = "make report" if study.name == "default" else f"make setup\n. .venv/bin/activate\n{run}"
    return Section(
        "redo",
        "How to redo it",
        (
            Paragraph(_text("in-a-fresh-clone-of")),
            Steps(
                (
                    Step("Show the plan without measuring.", f"make setup\n. .venv/bin/activate\n{run} -n"),
                    Step("Measure, analyse and publish; what is already measured is kept.", measure),
                    Step("Run the project's own tests.", "make test"),
                )
            ),
        ),
    )
