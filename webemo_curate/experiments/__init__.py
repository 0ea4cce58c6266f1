"""Compare several networks over several seeds; make the paper's tables and figures."""
