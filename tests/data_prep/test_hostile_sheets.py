"""Lead sheets as JSON that no editor wrote."""

import json
from functools import partial
from typing import Any, Final

READ: Final = ""


def events(count: int = 64) -> list[dict[str, Any]]:
    return [
        {"pitch": float(beat * 5 % 13), "isRest": False, "event_on": float(beat), "event_off": beat + 1.0}
        for beat in range(count)
    ]


def chords(count: int = 16) -> list[dict[str, Any]]:
    """One a bar."""
    return [
        {
            "root": bar % 12,
            "quality": "m",
            "chord_type": 5,
            "sus": None,
            "event_on": 4.0 * bar,
            "event_off": 4.0 * bar + 4,
        }
        for bar in range(count)
    ]


def sheet(melody: Any = None, chord: Any = None, **metadata: Any) -> dict[str, Any]:
    tracks = {"melody": events() if melody is None else melody, "chord": chords() if chord is None else chord}
    return {"metadata": {"beats_in_measure": "4", **metadata}, "tracks": tracks}


def text(*arguments: Any, **metadata: Any) -> str:
    return json.dumps(sheet(*arguments, **metadata))


def raw(melody: str, chord: str = json.dumps(chords())) -> bytes:
    return f'{{"metadata": {{"beats_in_measure": "4"}}, "tracks": {{"melody": [{melody}], "chord": [{chord[1:-1]}]}}}}'.encode()


def ev(on, off, **f):
    return {"pitch": 0, "event_on": on, "event_off": off, **f}


def ch(on, off, **f):
    return {"root": 0, "quality": "m", "chord_type": 5, "sus": None, "event_on": on, "event_off": off, **f}


HOSTILE: Final = {
    "empty": (lambda: b"", "?"),
    "null byte": (lambda: b"\0", "?"),
    "2M spaces": (lambda: b" " * 2_000_000, "?"),
    "2M spaces around": (lambda: b" " * 2_000_000 + text().encode() + b"\n" * 2_000_000, "?"),
    "9MB": (lambda: b" " * 9_000_000 + text().encode(), "?"),
    "BOM": (lambda: b"\xef\xbb\xbf" + text().encode(), "?"),
    "BOM twice": (lambda: b"\xef\xbb\xbf" * 2 + text().encode(), "?"),
    "utf16": (lambda: text().encode("utf-16"), "?"),
    "utf16le": (lambda: text().encode("utf-16-le"), "?"),
    "utf32": (lambda: text().encode("utf-32"), "?"),
    "bad utf8": (lambda: text(title="@").encode().replace(b"@", b"\xff\xfe"), "?"),
    "trunc": (lambda: text().encode()[:500], "?"),
    "garbage": (lambda: text().encode() + b"}", "?"),
    "two": (lambda: text().encode() * 2, "?"),
    "html": (lambda: b"<html>", "?"),
    "NaN": (lambda: b"NaN", "?"),
    "number": (lambda: b"4", "?"),
    "5000 digits": (lambda: b"1" * 5000, "?"),
    "1M digits": (lambda: b"1" * 1000000, "?"),
    "8M digits float": (lambda: raw('{"pitch":0,"event_on":0,"event_off":1.' + "1" * 8_000_000 + "}"), "?"),
    "8M digits exp": (lambda: raw('{"pitch":0,"event_on":0,"event_off":1e' + "1" * 8_000_000 + "}"), "?"),
    "deep lists": (lambda: b"[" * 100_000, "?"),
    "deep lists closed": (lambda: b"[" * 100_000 + b"]" * 100_000, "?"),
    "deep objects": (lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "?"),
    "deep in melody": (lambda: raw("[" * 100_000 + "]" * 100_000), "?"),
    "deep 900 in melody": (lambda: raw("[" * 900 + "]" * 900), "?"),
    "deep 900 in quality": (
        lambda: text(None, [ch(0, 4), ch(4, 8, quality="@@")]).replace('"@@"', "[" * 900 + "]" * 900).encode(),
        "?",
    ),
    "deep 900 in pitch": (lambda: text([ev(0, 4, pitch="@@")]).replace('"@@"', "[" * 900 + "]" * 900).encode(), "?"),
    "deep objs in pitch": (
        lambda: text([ev(0, 4, pitch="@@")]).replace('"@@"', '{"a":' * 900 + "1" + "}" * 900).encode(),
        "?",
    ),
    "8M nulls": (lambda: raw("null," * 1_600_000 + "null"), "?"),
    "8M empty lists": (lambda: text(None, None, x="@@").replace('"@@"', "[" + "[]," * 2_700_000 + "[]]").encode(), "?"),
    "8M empty objs": (lambda: text(None, None, x="@@").replace('"@@"', "[" + "{}," * 2_700_000 + "{}]").encode(), "?"),
    "8M numbers": (
        lambda: text(None, None, x="@@").replace('"@@"', "[" + "1.,".replace(".", "") * 4_100_000 + "1]").encode(),
        "?",
    ),
    "1M keys": (
        lambda: (
            text(None, None, x="@@")
            .replace('"@@"', "{" + ",".join(f'"{i:x}":0' for i in range(780_000)) + "}")
            .encode()
        ),
        "?",
    ),
    "100k events": (lambda: raw(",".join(json.dumps(ev(i / 4, i / 4 + 0.25)) for i in range(100_000))), "?"),
    "100k events at once": (lambda: raw(",".join(['{"pitch":1,"event_on":0,"event_off":4}'] * 150_000)), "?"),
    "100k long": (lambda: raw(",".join(['{"pitch":1,"event_on":0,"event_off":39999}'] * 150_000)), "?"),
    "100k long staggered": (
        lambda: raw(",".join(f'{{"pitch":1,"event_on":{i / 4},"event_off":39999}}' for i in range(150_000))),
        "?",
    ),
    "100k chords": (lambda: text(None, [ch(0, 4, quality=str(i)) for i in range(60_000)]).encode(), "?"),
    "1e308": (lambda: text([ev(0, 1), ev(1, 1e308)]).encode(), "?"),
    "1e308 both": (lambda: text([ev(0, 1), ev(1e308, 1.1e308)]).encode(), "?"),
    "-1e308": (lambda: text([ev(-1e308, 1)]).encode(), "?"),
    "40000": (lambda: text([ev(0, 1), ev(39_999, 40_000)]).encode(), "?"),
    "40001": (lambda: text([ev(0, 1), ev(39_999, 40_001)]).encode(), "?"),
    "chord 1e308": (lambda: text(None, [ch(0, 4), ch(4, 1e308)]).encode(), "?"),
    "chord 1e308 both": (lambda: text(None, [ch(0, 4), ch(1e308, 1.5e308)]).encode(), "?"),
    "chord subnormal": (lambda: text(None, [ch(0, 5e-324), ch(4, 8)]).encode(), "?"),
    "note subnormal": (lambda: text([ev(0, 5e-324), ev(4, 8)]).encode(), "?"),
    "all subnormal": (lambda: text([ev(0, 5e-324)]).encode(), "?"),
    "third": (lambda: text([ev(1 / 3, 2 / 3)]).encode(), "?"),
    "dup keys": (lambda: text().replace('"tracks"', '"tracks": null, "tracks"').encode(), "?"),
    "dup keys last null": (lambda: (text()[:-1] + ',"tracks":null}').encode(), "?"),
    "proto": (lambda: (text()[:-1] + ',"__proto__":{"tracks":null},"__class__":1}').encode(), "?"),
    "surrogate key": (lambda: (text()[:-1] + ',"\\ud800":1}').encode(), "?"),
    "surrogate quality": (lambda: text(None, [ch(0, 4, quality="\ud800\udfff"), ch(4, 8)]).encode(), "?"),
    "surrogate pitch": (lambda: text([ev(0, 4, pitch="\ud800")]).encode(), "?"),
    "escape quality": (lambda: text(None, [ch(0, 4, quality="\x1b[31m\r\n\u202e"), ch(4, 8)]).encode(), "?"),
    "escape pitch": (lambda: text([ev(0, 4, pitch="\x1b[31m\r\n\u202e")]).encode(), "?"),
    "escape beats": (lambda: text(beats_in_measure="\x1b[31m\r\n\u202e").encode(), "?"),
    "1MB quality": (lambda: text(None, [ch(0, 4, quality="x" * 1_000_000), ch(4, 8)]).encode(), "?"),
    "1MB beats": (lambda: text(beats_in_measure="4" * 1_000_000).encode(), "?"),
    "beats 1e400": (lambda: text(beats_in_measure="1e400").encode(), "?"),
    "beats nan": (lambda: text(beats_in_measure="nan").encode(), "?"),
    "beats 4.0": (lambda: text(beats_in_measure=4.0).encode(), "?"),
    "beats 0": (lambda: text(beats_in_measure="0").encode(), "?"),
    "beats -4": (lambda: text(beats_in_measure="-4").encode(), "?"),
    "beats 12": (lambda: text(beats_in_measure="12").encode(), "?"),
    "reverse": (lambda: text(events()[::-1], chords()[::-1]).encode(), "?"),
    "big pitch": (lambda: text([ev(0, 4, pitch=10**300)]).encode(), "?"),
    "pitch 68": (lambda: text([ev(0, 4, pitch=68)]).encode(), "?"),
    "pitch -61": (lambda: text([ev(0, 4, pitch=-61)]).encode(), "?"),
    "roman": (lambda: text([{"scale_degree": "1", "octave": 0, "event_on": 0, "event_off": 4}]).encode(), "?"),
    "rests": (lambda: text([None] * 10).encode(), "?"),
    "json lines": (lambda: b"\n".join([text().encode()] * 3), "?"),
    "gz": (lambda: __import__("gzip").compress(text().encode()), "?"),
}
