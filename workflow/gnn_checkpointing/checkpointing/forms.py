"""Forms of tensors, by which two runs of a layer are compared without keeping the tensors."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes


@dataclass(frozen=True)
class Form:
    """A tensor without its values, but with marks of them, the sum and the norm, if two runs are to be compared."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device
    marks: tuple[float, float] | None = None

    @classmethod
    def of(cls, tensor: Tensor, *, marked: bool = False) -> Self:
        """The form of a tensor."""
        marks = None
        if marked and type(tensor) is Tensor and tensor.is_floating_point() and not tensor.is_meta:
            wide = torch.promote_types(tensor.dtype, torch.float32)
            with torch.no_grad(), _disable_current_modes():
                values = tensor.detach()
                marks = float(values.sum(dtype=wide)), float(torch.linalg.vector_norm(values, dtype=wide))
        return cls(tensor.shape, tensor.dtype, tensor.device, marks)

    def fits(self, other: Self) -> bool:
        """Whether two forms are equal and, if both have marks, these too, up to rounding."""
        if (self.shape, self.dtype, self.device) != (other.shape, other.dtype, other.device):
            return False
        if self.marks is None or other.marks is None:
            return True
        (total, norm), (other_total, other_norm) = self.marks, other.marks
        near = _ROUNDING * norm
        # Written so that NaN is like NaN.
        return not (abs(norm - other_norm) > near or abs(total - other_total) > near * self.shape.numel() ** 0.5)

    def stand_in(self) -> Tensor:
        """A tensor of this form that takes the memory of one number."""
        return torch.empty((), dtype=self.dtype, device=self.device).expand(self.shape)


_ROUNDING = 1e-5
"""Relative difference of marks that atomic additions may leave on a GPU."""


def other_than_before(layer: str) -> RuntimeError:
    """Error for a layer whose second run differs from its first."""
    return RuntimeError(
        f"{layer} computes something else when its forward pass runs again for its gradients: it reads "
        "what is neither an argument nor an attribute of it; remove the layer's policy"
    )
