"""Figures, tables and the one-file page."""
