"""Rasa custom actions, one file per concern. An action reads slots, makes its port calls, maps
known errors to a wording, returns events."""
