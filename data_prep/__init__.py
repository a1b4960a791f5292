"""Music files to bars: the corpus every other part works on."""
