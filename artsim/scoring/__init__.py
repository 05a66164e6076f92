"""Scoring: an ONNX tower turns images into embeddings, and pairs of embeddings into distances and scores."""
