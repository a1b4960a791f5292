"""Parts of the networks: layers on rows of features, spectral normalisation, chords, the two players.

Shapes: B bars, T time steps, C features, P = 128 pitches, Z = 100 noise numbers.
"""
