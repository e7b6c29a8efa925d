"""Backup and restore of what cannot be computed again: decisions, releases, identities, what platforms hold, what is served."""
