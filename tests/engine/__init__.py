"""Tests of our parts inside the dialogue engine, run in its own environment."""
