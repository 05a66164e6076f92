"""Networks: towers, backbones and their features, heads, checkpoints."""
