"""Everything that Dagster sees, and the only place that sees Dagster: one module an asset, and what they share."""
