"""The systems on piano rolls of 128 steps that came before MidiNet (§3): `lstm`, `vae` and `gan`."""
