"""The world outside the bank: a UPI switch with one other bank behind it, as a real server."""
