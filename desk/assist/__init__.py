"""What helps an agent to answer. Everything here proposes; only the agent sends."""
