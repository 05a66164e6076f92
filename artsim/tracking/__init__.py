"""The MLflow run: parameters, metrics, artifacts, and its end. Only this package imports MLflow."""
