"""What settlement does with the switch's files."""
