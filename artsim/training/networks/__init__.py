"""Networks: towers, backbones, their features, heads, and checkpoints of them."""
