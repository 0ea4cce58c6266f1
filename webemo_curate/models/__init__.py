"""Networks: their layers, how a configuration names one, their first weights, where they look."""
