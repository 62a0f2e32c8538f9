"""The bank's staff: who they are, what they may do, what they did."""
