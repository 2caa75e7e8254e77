"""Scenarios that an unmodified Temporal Python SDK plays against a running server."""
