"""The Gram-augmented network: model, augmentation, data, loop, evaluation."""
