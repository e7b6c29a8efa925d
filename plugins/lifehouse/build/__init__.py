"""Building a release: the assembled dbt project, identity between its two halves, and the runner."""
