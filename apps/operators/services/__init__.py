"""What operators and the back office can do, one use case a module."""
