"""The bank's applications, one folder each, in one line of dependence."""
