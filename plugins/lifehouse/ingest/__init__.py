"""Ingest: sources are read, landed by dlt, recorded in raw, and judged by the raw gate."""
