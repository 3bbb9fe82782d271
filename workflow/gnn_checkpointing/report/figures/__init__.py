"""Drawings as SVG text: same data, same bytes; one colour per policy everywhere."""
