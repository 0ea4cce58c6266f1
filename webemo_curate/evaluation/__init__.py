"""Apply a trained network to a set of images: probabilities, metrics, significance, exports."""
