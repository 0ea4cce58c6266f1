"""Several networks and seeds, compared; the paper's tables and figures."""
