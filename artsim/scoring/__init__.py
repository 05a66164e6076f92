"""An ONNX tower, paintings and pairs become embeddings, distances and scores. No TensorFlow, no MLflow."""
