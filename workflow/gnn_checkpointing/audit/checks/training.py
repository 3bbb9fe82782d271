"""Did the training jobs run, with the control that tells rounding from a fault?"""

from __future__ import annotations

from gnn_checkpointing.audit.answers import Answer, no_offender, not_applicable
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import asks
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.study.design import trained_graphs


@asks(
    "control-trained",
    "Did the training jobs have their control?",
    "Each graph and convolution that the study trains was also trained without checkpointing, edges reordered.",
)
def control_trained(inputs: AuditInputs) -> Answer:
    asked = [
        (spec.id, convolution)
        for spec in trained_graphs(inputs.study)
        for convolution in inputs.study.architecture.convolutions
    ]
    if not asked:
        return not_applicable("the study asks for no training")
    trained = {(job.graph, job.convolution) for job in inputs.findings.accuracy if job.policy == REORDERED}
    missing = [f"{convolution} on {graph}" for graph, convolution in asked if (graph, convolution) not in trained]
    evidence = f"analysis/accuracy.json: policy={REORDERED}"
    return no_offender(missing, len(asked), "training jobs have no control", evidence)
