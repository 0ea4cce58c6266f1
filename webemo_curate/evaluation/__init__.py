"""A trained network on a set of images: probabilities, metrics, tests of significance, exports."""
