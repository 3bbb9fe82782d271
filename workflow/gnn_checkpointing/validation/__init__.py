"""A published report as its data: is it whole, unchanged, what its study asked for, and possible?"""
