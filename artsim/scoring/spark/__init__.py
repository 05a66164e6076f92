"""Scoring on a Spark cluster: the pairs as parquet, the stages that workers run, the session."""
