"""How row-local stages are run: one protocol, and engines for one machine and for a cluster."""
