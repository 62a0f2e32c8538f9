"""Dated limit rules and their usage."""
