"""Training data: decoded paintings, batches, augmentation."""
