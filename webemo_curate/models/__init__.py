"""Networks: layers, a registry by name, pretrained weights, Grad-CAM, devices."""
