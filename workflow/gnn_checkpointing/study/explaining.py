"""The trained Vision GNN of a study, and the images that it is explained on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnn_checkpointing.study.vocabulary import Checksum, Count, Part, Text, UserPath


class ImageSet(Part):
    """Images in ImageNet's layout, a folder a class, with masks of their objects where there are any."""

    images: UserPath = Field(description="folder with a folder of images for each class")
    masks: UserPath | None = Field(None, description="folder of masks: as the images, each a .png of the same name")
    label: Text | None = Field(None, description="how the report calls them (default: the name of the folder)")
    most: Count | None = Field(None, description="so many images, the first by path; null: all")


class Explaining(Part):
    """Trained weights of a Vision GNN and the images that it is explained on: what the twelve seed claims take."""

    weights: UserPath = Field(description="ViG weights in the published layout")
    convolution: Literal["ViG-Ti", "ViG-S", "ViG-B"] = Field("ViG-S", description="the size that they belong to")
    neighbours: Count = Field(9, description="neighbours in its first block, twice as many in the last")
    classes: UserPath | None = Field(
        None, description="the model's classes, a folder's name a line; null: the folders'"
    )
    validation: ImageSet = Field(description="images of the kind that it was trained on, such as ImageNet's validation")
    adversarial: ImageSet | None = Field(None, description="images that deceive it, such as ImageNet-A")
    batch: Count = Field(16, description="images at once")
    files: dict[str, Checksum] = Field(
        default_factory=dict,
        description="checksums of weights and images: written down by each run, nothing to fill in",
    )
