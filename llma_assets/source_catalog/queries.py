"""The statements of the catalogue of sources, with server-side parameters."""

# Key of sources: name.
STORED = """
SELECT name, kind, table_name, tenant_column, user_column, others, changed_by, changed_at
FROM sources FINAL
WHERE NOT removed
ORDER BY name
"""

# Key of source_tenants: (source, tenant).
STORED_TENANTS = """
SELECT source, tenant, team_id
FROM source_tenants FINAL
ORDER BY inserted_at, source, tenant
"""
