"""`python -m trainables`: the systems without a search."""
