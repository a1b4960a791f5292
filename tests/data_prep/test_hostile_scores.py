import io, zipfile, zlib, struct


def mnote(duration=1, step="C", octave=5, more=""):
    return (
        f"<note>{more}<pitch><step>{step}</step><octave>{octave}</octave></pitch><duration>{duration}</duration></note>"
    )


H = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"


def measure(inner="", attributes=""):
    return f"<measure>{attributes}{H}{inner or mnote() * 4}</measure>"


ATT = "<attributes><divisions>{d}</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"


def score(measures, prolog='<?xml version="1.0" encoding="UTF-8"?>', root="score-partwise", d="1"):
    return f'{prolog}<{root}><part-list><score-part id="P1"><part-name>Melody</part-name></score-part></part-list><part id="P1">{measures}</part></{root}>'


def good(inner="", d="1", first="", prolog='<?xml version="1.0" encoding="UTF-8"?>', **k):
    return score(measure(inner, ATT.format(d=d) + first) + measure() * 7, prolog, **k)


def b(*a, **k):
    return good(*a, **k).encode()


CONT = '<container><rootfiles><rootfile full-path="{p}"/></rootfiles></container>'


def mxl(files, method=zipfile.ZIP_DEFLATED, path="score.xml", cont=None):
    o = io.BytesIO()
    with zipfile.ZipFile(o, "w", method) as z:
        z.writestr("META-INF/container.xml", cont or CONT.format(p=path))
        for n, d in files.items():
            z.writestr(n, d)
    return o.getvalue()


LOL = (
    '<!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9))
    + "]>"
)


def encrypted():
    z = bytearray(mxl({"score.xml": b()}))
    # set flag bit 0
    i = 0
    while (i := z.find(b"PK\x03\x04", i)) >= 0:
        z[i + 6] |= 1
        i += 4
    i = 0
    while (i := z.find(b"PK\x01\x02", i)) >= 0:
        z[i + 8] |= 1
        i += 4
    return bytes(z)


def lying(size):
    z = bytearray(mxl({"score.xml": b" " * 100_000_000}))
    i = z.rfind(b"PK\x01\x02")
    z[i + 24 : i + 28] = struct.pack("<I", size)
    return bytes(z)


def method(m):
    z = bytearray(mxl({"score.xml": b()}))
    i = 0
    while (i := z.find(b"PK\x03\x04", i)) >= 0:
        z[i + 8 : i + 10] = struct.pack("<H", m)
        i += 4
    i = 0
    while (i := z.find(b"PK\x01\x02", i)) >= 0:
        z[i + 10 : i + 12] = struct.pack("<H", m)
        i += 4
    return bytes(z)


def many(n):
    return mxl({"score.xml": b(), **{f"{i:x}": b"" for i in range(n)}}, zipfile.ZIP_STORED)


def damaged():
    z = bytearray(mxl({"score.xml": b()}))
    z[120] ^= 255
    z[200] ^= 255
    return bytes(z)


def nested(n=6):
    d = b()
    for i in range(n):
        d = mxl({"score.xml": d})
    return d


def overlap():
    # one file, many directory entries pointing to it (Fifield-ish)
    z = mxl({"score.xml": b" " * 60_000_000})
    i = z.rfind(b"PK\x01\x02")
    e = z.rfind(b"PK\x05\x06")
    entry = z[i:e]
    cnt = 50000
    cd = z[struct.unpack("<I", z[e + 16 : e + 20])[0] : i] + entry * cnt
    return (
        z[: struct.unpack("<I", z[e + 16 : e + 20])[0]]
        + cd
        + struct.pack(
            "<4sHHHHIIH", b"PK\5\6", 0, 0, cnt + 1, cnt + 1, len(cd), struct.unpack("<I", z[e + 16 : e + 20])[0], 0
        )
    )


def zeros_members(k):
    return {f"{i}": b"\0" * 1_000_000 for i in range(k)}


D = lambda dt: f'<?xml version="1.0"?>{dt}'
HOSTILE = {
    "good": (lambda: b(),),
    "good mxl": (lambda: mxl({"score.xml": b()}),),
    "empty": (lambda: b"",),
    "nul": (lambda: b"\0" * 1000,),
    "nul inside": (lambda: b().replace(b"Melody", b"Mel\0dy"),),
    "html": (lambda: b"<!DOCTYPE html><html><body>404</body></html>",),
    "html bad": (lambda: b"<!DOCTYPE html><html><body>404<br></html>",),
    "timewise": (lambda: b(root="score-timewise"),),
    "long root": (lambda: b(root="x" * 1_000_000),),
    "esc root": (lambda: b(root="\u202ex"),),
    "truncated": (lambda: b()[:400],),
    "trailing": (lambda: b() + b"<x/>",),
    "bom": (lambda: b"\xef\xbb\xbf" + b(),),
    "utf16": (lambda: good(prolog='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"),),
    "utf7": (lambda: b(prolog='<?xml version="1.0" encoding="UTF-7"?>'),),
    "unknown enc": (lambda: b(prolog='<?xml version="1.0" encoding="klingon"?>'),),
    "enc idna": (lambda: b(prolog='<?xml version="1.0" encoding="idna"?>'),),
    "enc rot13": (lambda: b(prolog='<?xml version="1.0" encoding="rot13"?>'),),
    "enc zlib": (lambda: b(prolog='<?xml version="1.0" encoding="zlib"?>'),),
    "enc unicode_escape": (lambda: b(prolog='<?xml version="1.0" encoding="unicode_escape"?>'),),
    "enc undefined": (lambda: b(prolog='<?xml version="1.0" encoding="undefined"?>'),),
    "enc shift_jis": (lambda: b(prolog='<?xml version="1.0" encoding="shift_jis"?>'),),
    "enc mbcs": (lambda: b(prolog='<?xml version="1.0" encoding="gb18030"?>'),),
    "enc 1MB": (lambda: b(prolog='<?xml version="1.0" encoding="' + "a" * 1000000 + '"?>'),),
    "invalid utf8": (lambda: b().replace(b"Melody", b"Mel\xff\xfe"),),
    "lol": (lambda: b(prolog=D(LOL)).replace(b"Melody", b"&j;"),),
    "quadratic": (
        lambda: b(prolog=D('<!DOCTYPE x [<!ENTITY a "' + "x" * 100000 + '">]>')).replace(b"Melody", b"&a;" * 100000),
    ),
    "external": (
        lambda: b(prolog=D('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>')).replace(b"Melody", b"&a;"),
    ),
    "external dtd": (lambda: b(prolog=D('<!DOCTYPE x SYSTEM "file:///etc/passwd">')),),
    "external dtd fifo": (lambda: b(prolog=D('<!DOCTYPE x PUBLIC "-//x" "http://localhost:9/x.dtd">')),),
    "parameter": (lambda: b(prolog=D('<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///dev/zero"> %a;]>')),),
    "undefined pe": (lambda: b(prolog=D('<!DOCTYPE x SYSTEM "y" [%a;]>')),),
    "undef entity": (lambda: b().replace(b"Melody", b"&nbsp;"),),
    "undef entity dtd": (lambda: b(prolog=D('<!DOCTYPE x SYSTEM "y">')).replace(b"Melody", b"&nbsp;"),),
    "subset": (lambda: b(prolog=D('<!DOCTYPE score-partwise [<!ELEMENT x ANY><!ATTLIST x y CDATA "z">]>')),),
    "attlist default bomb": (
        lambda: b(
            prolog=D(
                "<!DOCTYPE score-partwise [<!ATTLIST note "
                + " ".join(f'a{i} CDATA "{"z" * 100}"' for i in range(1000))
                + ">]>"
            ),
            inner="<note/>" * 100000,
        ),
    ),
    "subset deep": (
        lambda: b(prolog=D("<!DOCTYPE score-partwise [<!ELEMENT x " + "(" * 100000 + "a" + ")" * 100000 + ">]>")),
    ),
    "xinclude": (
        lambda: b(first='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
    ),
    "comment": (lambda: b() + b"<!--" + b"x" * 5_000_000 + b"-->",),
    "pi": (lambda: b(first="<?xml-stylesheet href='x'?>"),),
    "deep": (lambda: b(first="<a>" * 100_000 + "</a>" * 100_000),),
    "deep unclosed": (lambda: b"<a>" * 100_000,),
    "deep 1M": (lambda: b(first="<a>" * 1_000_000 + "</a>" * 1_000_000),),
    "deep 9M": (lambda: b(first="<a>" * 9_000_000 + "</a>" * 9_000_000),),
    "siblings 10M": (lambda: b(first="<a/>" * 10_000_000),),
    "siblings 16M": (lambda: b(first="<a/>" * 16_000_000),),
    "attrs 1M": (lambda: b(first="<a " + " ".join(f'a{i:x}=""' for i in range(1_000_000)) + "/>"),),
    "attr per element 8M": (lambda: b(first='<a b=""/>' * 7_000_000),),
    "text tail 10M": (lambda: b(first="<a/>é" * 9_000_000),),
    "namespaces": (lambda: b(first="".join(f'<a xmlns="{i}"/>' for i in range(1_000_000))),),
    "div 0": (lambda: b(d="0"),),
    "div -1": (lambda: b(d="-1"),),
    "div 1e9": (lambda: b(d="1000000000"),),
    "div 999999999": (lambda: b(d="999999999"),),
    "div 1e100": (lambda: b(d="1" + "0" * 100),),
    "div x": (lambda: b(d="x"),),
    "div empty": (lambda: b(d=""),),
    "div lcm": (
        lambda: b(first="".join(f"<divisions>{p}</divisions>" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37))),
    ),
    "div lcm many": (lambda: b(first="".join(f"<divisions>{p}</divisions>" for p in range(1, 200000))),),
    "1e6 measures": (lambda: score(measure("", ATT.format(d=1)) + "<measure/>" * 1_000_000).encode(),),
    "1e6 measures wide": (
        lambda: score(
            measure("", ATT.format(d=1)) + "<measure><note><rest/><duration>4</duration></note></measure>" * 1_000_000
        ).encode(),
    ),
    "10001 measures": (lambda: score(measure("", ATT.format(d=1)) + measure() * 10_001).encode(),),
    "10000 measures": (lambda: score(measure("", ATT.format(d=1)) + measure() * 9_999).encode(),),
    "10000 parts": (lambda: b().replace(b"</part>", b"</part>" + b"<part><measure/></part>" * 10_000),),
    "parts x measures": (
        lambda: b().replace(b"</part>", b"</part>" + b"<part>" * 1 + b"<measure/>" * 3_000_000 + b"</part>"),
    ),
    "nested parts": (
        lambda: (
            b()
            .replace(b"<part id=", b"<part>" * 1000 + b"<part id=")
            .replace(b"</part></score", b"</part>" + b"</part>" * 1000 + b"</score")
        ),
    ),
    "nested parts 20000": (
        lambda: (
            b()
            .replace(b"<part id=", b"<part>" * 20000 + b"<part id=")
            .replace(b"</part></score", b"</part>" + b"</part>" * 20000 + b"</score")
        ),
    ),
    "nested measures": (lambda: b(first="<measure>" * 3000 + "</measure>" * 3000),),
    "nested notes": (lambda: b("<note>" * 3000 + "<duration>1</duration></note>" * 3000),),
    "nested note ties": (lambda: b((mnote()[:-7] + "<x>" * 10 + "<tie/>" * 1000 + "</x>" * 10 + "</note>") * 1000),),
    "dur 1e9": (lambda: b(mnote(999_999_999)),),
    "dur 1e10": (lambda: b(mnote(10**10)),),
    "dur -1": (lambda: b(mnote(-1)),),
    "dur 0": (lambda: b(mnote(0) * 4),),
    "dur x": (lambda: b(mnote("x")),),
    "dur empty": (lambda: b(mnote("")),),
    "dur 1.5": (lambda: b(mnote(1.5)),),
    "dur unicode": (lambda: b(mnote("٤")),),
    "dur sum": (lambda: b(mnote(999_999_999) * 100),),
    "dur 9e8 each measure": (
        lambda: score(measure("", ATT.format(d=1)) + measure(mnote(900_000_000)) * 9000).encode(),
    ),
    "dur 9e8 d 9e8": (
        lambda: score(measure("", ATT.format(d=900_000_000)) + measure(mnote(900_000_000)) * 9000).encode(),
    ),
    "forward 1e9": (lambda: b("<forward><duration>999999999</duration></forward>" * 1000 + mnote()),),
    "forward neg": (lambda: b("<forward><duration>-999999999</duration></forward>" * 1000 + mnote()),),
    "backup far": (lambda: b("<backup><duration>999999999</duration></backup>" + mnote() * 4),),
    "backup neg": (lambda: b("<backup><duration>-99</duration></backup>" + mnote() * 4),),
    "harmony offset": (
        lambda: b(
            H.replace("</harmony>", "<offset>-999999999</offset></harmony>")
            + H.replace("</harmony>", "<offset>999999999</offset></harmony>")
            + mnote() * 4
        ),
    ),
    "octave 99": (lambda: b(mnote(octave=99)),),
    "octave -99": (lambda: b(mnote(octave=-99)),),
    "step H": (lambda: b(mnote(step="H")),),
    "step esc": (lambda: b(mnote(step="\u202e" * 100000)),),
    "alter 1e8": (lambda: b(mnote(step="C</step><alter>99999999</alter><step>")),),
    "transpose 1e9": (
        lambda: b(first="<attributes><transpose><chromatic>999999999</chromatic></transpose></attributes>"),
    ),
    "transpose 60": (lambda: b(first="<attributes><transpose><chromatic>60</chromatic></transpose></attributes>"),),
    "transpose oct": (
        lambda: b(
            first="<attributes><transpose><chromatic>0</chromatic><octave-change>999999999</octave-change></transpose></attributes>"
        ),
    ),
    "transpose -90": (lambda: b(first="<attributes><transpose><chromatic>-90</chromatic></transpose></attributes>"),),
    "transpose none": (lambda: b(first="<attributes><transpose/></attributes>"),),
    "time 0/0": (lambda: b(first="<attributes><time><beats>0</beats><beat-type>0</beat-type></time></attributes>"),),
    "time 99/99": (
        lambda: b(first="<attributes><time><beats>99</beats><beat-type>99</beat-type></time></attributes>"),
    ),
    "time 4/3": (lambda: b(first="<attributes><time><beats>4</beats><beat-type>3</beat-type></time></attributes>"),),
    "fifths": (lambda: b(first="<attributes><key><fifths>-127</fifths></key></attributes>"),),
    "fifths x": (lambda: b(first="<attributes><key><fifths>x</fifths></key></attributes>"),),
    "kind esc": (lambda: b(H.replace("major", "\u202e\u0085 x") + mnote() * 4),),
    "kinds 100k": (lambda: b("".join(H.replace("major", f"k{i}") for i in range(100_000)) + mnote() * 4),),
    "kind 1MB": (lambda: b(H.replace("major", "k" * 1_000_000) + mnote() * 4),),
    "no notes": (lambda: score("<measure/>").encode(),),
    "no measures": (lambda: score("").encode(),),
    "no parts": (lambda: b"<score-partwise/>",),
    "only grace": (lambda: b(mnote(more="<grace/>")).replace(mnote().encode(), b""),),
    "1M notes": (
        lambda: b(
            mnote(0)[:-7].replace("<duration>0", "<duration>1") + "</note>" + (mnote(1, more="<chord/>")) * 600_000
        ),
    ),
    "400k notes chord": (lambda: b(mnote() + (mnote(1, more="<chord/>")) * 400_000),),
    "400k long": (lambda: b(mnote(40000) + (mnote(40000, more="<chord/>")) * 400_000),),
    "ties 400k": (
        lambda: b(mnote(more="<tie type='start'/>") + (mnote(1, more="<chord/><tie type='start'/>")) * 400_000),
    ),
    "tie forever": (
        lambda: score(
            measure(mnote(4, more="<tie type='start'/>"), ATT.format(d=1))
            + measure(mnote(4, more="<tie type='start'/>")) * 5000
        ).encode(),
    ),
    "part names": (lambda: b().replace(b"Melody", b"\xe2\x80\xae" * 100000),),
    # zips
    "zip empty": (lambda: b"PK\5\6" + bytes(18),),
    "zip no container": (lambda: mxl({}, cont="<x/>"),),
    "zip missing": (lambda: mxl({}),),
    "zip traversal": (lambda: mxl({"../../etc/passwd": b()}, path="../../etc/passwd"),),
    "zip abs": (lambda: mxl({"/etc/passwd": b()}, path="/etc/passwd"),),
    "zip abs absent": (lambda: mxl({}, path="/etc/passwd"),),
    "zip cont entity": (lambda: mxl({"score.xml": b()}, cont=LOL + CONT.format(p="score.xml")),),
    "zip cont bad": (lambda: mxl({"score.xml": b()}, cont="<"),),
    "zip cont self": (lambda: mxl({}, path="META-INF/container.xml"),),
    "zip dir": (lambda: mxl({"score.xml/": b""}, path="score.xml/"),),
    "zip esc": (lambda: mxl({}, path="\u202e&#10;x" * 1000),),
    "zip encrypted": (encrypted,),
    "zip damaged": (damaged,),
    "zip nested": (nested,),
    "zip bomb": (lambda: mxl({"score.xml": bytes(1_000_000_000 // 4)}),),
    "zip bomb spaces": (lambda: mxl({"score.xml": b" " * 70_000_000}),),
    "zip 64MB spaces": (lambda: mxl({"score.xml": b() + b" " * 60_000_000}),),
    "zip bomb elements": (lambda: mxl({"score.xml": b(first="<a/>" * 16_000_000)}),),
    "zip lying small": (lambda: lying(10),),
    "zip lying big": (lambda: lying(2**32 - 2),),
    "zip bz2": (lambda: mxl({"score.xml": b()}, zipfile.ZIP_BZIP2),),
    "zip lzma": (lambda: mxl({"score.xml": b()}, zipfile.ZIP_LZMA),),
    "zip bz2 damaged": (
        lambda: (
            mxl({"score.xml": b()}, zipfile.ZIP_BZIP2).replace(b"BZh9", b"BZh9\xff"[:4]).replace(b"1AY&SY", b"1AY&SZ")
        ),
    ),
    "zip lzma damaged": (
        lambda: (lambda z: z[:150] + b"\xff\xff\xff\xff\xff\xff\xff\xff" + z[158:])(
            mxl({"score.xml": b()}, zipfile.ZIP_LZMA)
        ),
    ),
    "zip method 12 lie": (lambda: method(12),),
    "zip method 14 lie": (lambda: method(14),),
    "zip method 99": (lambda: method(99),),
    "zip method 9": (lambda: method(9),),
    "zip method 0 lie": (lambda: method(0),),
    "zip method 93": (lambda: method(93),),
    "zip 65535": (lambda: many(65_000),),
    "zip 1e5": (lambda: many(100_000),),
    "zip 6e5": (lambda: many(600_000),),
    "zip overlap": (overlap,),
    "zip dup names": (lambda: mxl({"score.xml": b()}) + b"",),
    "zip prefix": (lambda: b"#!/bin/sh\n" + mxl({"score.xml": b()}),),
    "zip trunc": (lambda: mxl({"score.xml": b()})[:-30],),
    "zip half": (lambda: mxl({"score.xml": b()})[:200],),
    "xml with zip tail": (lambda: b() + b"<!--" + mxl({"score.xml": b()}) + b"-->",),
    "gz": (lambda: __import__("gzip").compress(b()),),
}
