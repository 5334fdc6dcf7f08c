"""Workflows to read, run and start from."""
