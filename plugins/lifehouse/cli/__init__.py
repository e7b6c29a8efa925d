"""The command line: ``lifehouse``. Thin: every command is a call into the package."""

from __future__ import annotations

from lifehouse.cli.app import main

__all__ = ["main"]
