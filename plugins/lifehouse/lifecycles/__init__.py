"""Lifecycles: ordered stages with rules, declared in YAML, compiled to SQL for exact history."""
