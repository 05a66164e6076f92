"""Training data: decoded paintings, batches of them, and augmentation."""
