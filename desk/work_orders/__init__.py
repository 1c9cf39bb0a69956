"""工单: from filing to rating. The flow itself is hotline/work_order_flow.py."""
