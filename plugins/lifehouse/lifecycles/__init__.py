"""Lifecycles: ordered stages with rules, declared in YAML and compiled to SQL that gives each customer's exact history."""
