"""The Rasa project. Runs in the engine's own environment (Python 3.10) and imports nothing of this repository."""
