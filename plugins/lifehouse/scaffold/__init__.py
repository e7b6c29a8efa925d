"""Drafts a project from a folder of CSV files or a database: what was found, what it seems to mean, and the files for it."""
