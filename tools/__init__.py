"""What is not installed with the package: fitting networks, writing pages."""
