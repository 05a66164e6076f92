"""The MLflow run: parameters, figures, artifacts, and how it ends. MLflow lives here, nowhere else."""
