"""What the city asks and how the line does: topics, figures, warnings, gaps, reviews, reports.

Works on the event trail and on what was counted of it, through the ports of hotline/insight_ports.py.
docs/insights.md explains every figure.
"""
