"""How row-local stages are run: one protocol, and an engine for one machine."""
