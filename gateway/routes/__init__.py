"""Routes, a file per door."""
