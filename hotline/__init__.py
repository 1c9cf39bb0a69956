"""The shared kernel: the words every other package uses.

Imports the standard library and pydantic only. Anything that does I/O lives in
another package and is reached through the protocols in :mod:`hotline.ports`.
"""
