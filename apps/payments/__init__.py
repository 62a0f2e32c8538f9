"""UPI transactions and their legs: the payment engine."""
