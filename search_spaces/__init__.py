"""What to try: one small file per space, found by its name."""
