"""The version of artsim, which everything else imports from here."""

__version__ = "0.1.0"
