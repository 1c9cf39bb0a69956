"""A real hub over HTTP and SQLite, so that the line runs before a district connects its own."""
