"""`python -m scores`: MIDI files scored by their notes, and sets of music compared."""
