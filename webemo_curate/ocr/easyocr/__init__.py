"""EasyOCR's networks in batches, without its loader."""
