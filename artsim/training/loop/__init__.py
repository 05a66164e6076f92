"""The training loop: losses, epochs, evaluation after each epoch, and the fits built of them."""
