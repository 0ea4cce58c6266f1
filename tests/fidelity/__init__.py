"""Equal to the paper's own tools: Keras, imgaug's arithmetic, statsmodels."""
