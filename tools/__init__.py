"""Tools that are not installed with the package: fitting networks, writing pages."""
