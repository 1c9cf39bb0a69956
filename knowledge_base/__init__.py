"""The service catalogue: guides, sources, halls, and the search over them (docs/knowledge.md)."""
