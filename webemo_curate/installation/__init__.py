"""The needs of a machine besides the package: weights of networks, and checks of the rest."""
