"""The final set in the forms that others read: parquet, tar, folders, JSON; see `export.export`."""
