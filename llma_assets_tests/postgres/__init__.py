"""Dagster's tables in Postgres, and its parts as processes of their own: `make test-postgres`."""
