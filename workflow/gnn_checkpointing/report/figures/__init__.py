"""Drawings as SVG text: the same data give the same bytes; each policy has one colour everywhere."""
