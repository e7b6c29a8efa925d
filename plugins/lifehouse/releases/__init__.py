"""Runs, the release gate and releases: what an answer depends on, what it must hold, and what is served."""
