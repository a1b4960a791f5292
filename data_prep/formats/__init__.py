"""File formats to plain notes and chord symbols: one file each, nothing about bars or corpora."""
