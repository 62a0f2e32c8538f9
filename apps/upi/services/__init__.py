"""What the UPI wire does for the apps above it."""
