"""How right the line is, on sets that nobody tunes to: what is asked, how it is judged, what is told."""
