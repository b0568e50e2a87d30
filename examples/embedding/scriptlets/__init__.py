"""Scriptlets of the example."""
