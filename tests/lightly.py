"""Lines of a program after which archives and PDFs are compressed less: in full, that takes longer than all else."""

LIGHTLY = """
import lzma
from gnn_checkpointing import packed
from gnn_checkpointing.report import pdf
packed._FILTERS, pdf._HARDEST = [{"id": lzma.FILTER_LZMA2, "preset": 0}], 6
"""
