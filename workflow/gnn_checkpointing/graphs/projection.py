"""Wide features made narrow: a fixed random projection that keeps lengths and distances approximately."""

from __future__ import annotations

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray
from scipy.sparse import csr_array

ROWS = 16_384
"""Nodes projected at once: bounds the working memory."""


def projected(features: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return features `[num_nodes, min(width, columns)]`: as they are where they are narrow enough, else projected.

    Each new column adds up all old ones with random signs and divides by the root of `width` (Achlioptas, J. Comput.
    Syst. Sci. 66, 671). The signs depend on nothing but the two widths, and a sparse product adds in a fixed order, so
    the same features give the same bytes on every machine.
    """
    columns = features.shape[1]
    if columns <= width:
        return features
    signs = 1.0 - 2.0 * Generator(PCG64([columns, width])).integers(0, 2, (columns, width), dtype=np.int8)
    narrow = np.empty((features.shape[0], width), np.float32)
    for start in range(0, features.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        narrow[rows] = csr_array(features[rows].astype(np.float64)) @ signs / np.sqrt(width)
    return narrow
