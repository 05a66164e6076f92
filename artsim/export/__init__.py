"""A trained tower becomes an ONNX file that says what it is, compared with its source before it is written."""
