"""Warmcast keeps AWS Lambda aliases warm exactly when they need to be."""

__version__ = "0.1.0"
