"""The door to the line: HTTP, WebSockets and pages. ``bootstrap.py`` is the one composition root."""
