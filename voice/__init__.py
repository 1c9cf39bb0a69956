"""Calls: audio, end-pointing, recognition, synthesis and the session that joins them.

Kept free of imports: the synthesis worker processes import this package and must start fast.
"""
