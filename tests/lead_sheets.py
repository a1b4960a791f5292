"""A folder of lead sheets, as small as it can be."""

import json
from pathlib import Path


def lead_sheets(folder: Path, *, songs: int = 12, bars: int = 16) -> str:
    """Make a folder of songs whose every note is followed by a rest of a beat; what `--data` calls it."""
    for song in range(songs):
        path = folder / f"song{song}" / "verse_symbol_nokey.json"
        path.parent.mkdir(parents=True)
        starts = range(0, 4 * bars, 4)
        notes = [{"pitch": (song * start) % 11, "event_on": start, "event_off": start + 3} for start in starts]
        chord = {"root": 0, "quality": "", "chord_type": 5, "sus": None, "event_on": 0, "event_off": 4 * bars}
        tracks = {"melody": notes, "chord": [chord]}
        path.write_text(json.dumps({"metadata": {"beats_in_measure": "4"}, "tracks": tracks}))
    return f"lead-sheet:{folder}"
