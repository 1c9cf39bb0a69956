"""The district's data hub as the line sees it: client, in-memory hub, reference hub."""
