"""Conversations, turns and the event trail, kept. See :mod:`storage.ports` for the contract."""
