"""rapidocr's networks, on CPUs by ONNX Runtime and on GPUs by torch."""
