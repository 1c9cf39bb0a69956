"""Signing in, staying signed in, and what a signed-in person may do."""
