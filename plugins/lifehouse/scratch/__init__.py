"""Scratch builds: what was believed on a night, and answers about the past, in schemas that nobody serves."""
