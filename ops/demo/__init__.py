"""A generated year of traffic: seeded, in a rhythm a district would know, nobody's data.

Everything is made up. docs/insights.md says what the year is made of and where its truth is written.
"""
