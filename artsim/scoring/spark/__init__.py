"""Scoring on a Spark cluster: pairs as parquet, the stages on workers, the session, the results."""
