"""How the back office writes days and instants."""
