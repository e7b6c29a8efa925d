"""The warehouse: the embedded Postgres, connections, and the control schema."""
