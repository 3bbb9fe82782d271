"""Synthetic data: tables of known laws, results with any fields, and inputs made from them."""
