"""A run as seen from outside, written down as it happens and judged afterwards."""
