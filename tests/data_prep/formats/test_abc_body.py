"""Music in ABC of a few notes, with what a musician reads in them."""

from fractions import Fraction

import pytest

from data_prep.formats.abc import BadTune, read_tunes
from data_prep.formats.musicxml import Score
from data_prep.sources.score_bars import bar_spans

BAR_LINES = "| || |] |: :| :: [| :|: :||: ::| |:: |||: [|] |[| .| :[|]|] |1 :|2 |[1 :|[2 |[1,3-4 :||1 :] ||[2"


def score(body: str, head: str = "M:4/4\nL:1/8\nK:C") -> Score:
    [tune] = read_tunes(f"X:1\nT:Test\n{head}\n{body}\n".encode())
    assert not isinstance(tune, BadTune), tune.reason
    return tune.score


def heard(body: str, head: str = "M:4/4\nL:1/8\nK:C") -> list[tuple[Fraction, Fraction, int]]:
    """Start and length in eighths, MIDI pitch."""
    read = score(body, head)
    eighth = Fraction(2, read.resolution)
    return [(start * eighth, (end - start) * eighth, pitch) for start, end, pitch in read.parts[0].notes]


def pitches(body: str, head: str = "M:4/4\nL:1/8\nK:C") -> list[int]:
    return [pitch for _, _, pitch in heard(body, head)]


def lengths(body: str, head: str = "M:4/4\nL:1/8\nK:C") -> list[Fraction]:
    return [length for _, length, _ in heard(body, head)]


def measures(body: str, head: str = "M:4/4\nL:1/8\nK:C") -> list[Fraction]:
    """Lengths in eighths."""
    read = score(body, head)
    return [Fraction(2 * measure.length, read.resolution) for measure in read.measures]


def test_letters_and_octave_marks() -> None:
    assert pitches("C,, C, C c c' c''") == [36, 48, 60, 72, 84, 96]
    assert pitches("CDEFGABcdefgab") == [60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83]
    assert pitches("C' c, C,', c'',") == [72, 60, 48, 84]


def test_lengths_are_multiples_and_fractions_of_the_unit() -> None:
    assert lengths("C C2 C12 C/ C/2 C// C/4 C3/2 C3/ C3// C7/4") == [
        Fraction(*pair)
        for pair in [(1, 1), (2, 1), (12, 1), (1, 2), (1, 2), (1, 4), (1, 4), (3, 2), (3, 2), (3, 4), (7, 4)]
    ]
    assert lengths("C2", "M:4/4\nL:1/16\nK:C") == [1]
    assert lengths("C", "M:2/4\nK:C") == [Fraction(1, 2)]


def test_an_accidental_counts_for_its_letter_up_to_the_bar_line() -> None:
    assert pitches("^C C c D | C c") == [61, 61, 73, 62, 60, 72]
    assert pitches("^^C __D =E _E E") == [62, 60, 64, 63, 63]
    assert pitches("F =F F | F", "M:4/4\nK:D") == [66, 65, 65, 66]
    assert pitches("^F F :: F") == [66, 66, 65]
    assert pitches("[^C4E4] C2 | C") == [61, 64, 61, 60]


def test_a_tie_carries_its_accidental_over_the_bar_line_and_no_further() -> None:
    assert heard("^C4- | C2 C2") == [(0, 6, 61), (6, 2, 60)]
    assert heard("_B,4- | B,2") == [(0, 6, 58)]


def test_ties_join_equal_pitches_that_follow_at_once() -> None:
    assert heard("C2-C2") == [(0, 4, 60)]
    assert heard("C2- | C2-|C") == [(0, 5, 60)]
    assert heard("C-D") == [(0, 1, 60), (1, 1, 62)]
    assert heard("C-zC") == [(0, 1, 60), (2, 1, 60)]
    assert heard("C-D-C") == [(0, 1, 60), (1, 1, 62), (2, 1, 60)]
    assert heard("[CE]2-[CF]2") == [(0, 4, 60), (0, 2, 64), (2, 2, 65)]
    assert heard("[C-E]2[CE]2-E") == [(0, 4, 60), (0, 5, 64)]
    assert heard('C>-"text"C') == [(0, 2, 60)]
    assert heard("-C") == [(0, 1, 60)]


def test_broken_rhythm_dots_one_note_and_cuts_the_other() -> None:
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    assert lengths("C>D E<F") == [3 * half, half, half, 3 * half]
    assert lengths("C>>D C<<D C>>>D") == [7 * quarter, quarter, quarter, 7 * quarter, Fraction(15, 8), Fraction(1, 8)]
    assert lengths("A>{g}.B A {g}> B HA> \\\nHB") == [3 * half, half] * 3
    assert lengths("C>D>E") == [3 * half, 3 * quarter, half]
    assert lengths("[CE]>G") == [3 * half, 3 * half, half]
    assert lengths("z>C C<z C") == [half, half, 1]
    assert lengths(">C > > D") == [3 * half, half]


def test_tuplets() -> None:
    third = Fraction(1, 3)
    assert lengths("(3CDE F") == [2 * third] * 3 + [1]
    assert lengths("(3 C2zE2 F") == [4 * third, 4 * third, 1]
    assert lengths("((3CDE) (F(3GAB)") == [2 * third] * 3 + [1] + [2 * third] * 3
    assert lengths("(3:2:2C4D2 E") == [8 * third, 4 * third, 1]
    assert lengths("(3::4CDEF G") == [2 * third] * 4 + [1]
    assert lengths("(3:2 CDE F") == [2 * third] * 3 + [1]
    assert lengths("(5:4CDEFG A") == [Fraction(4, 5)] * 5 + [1]
    assert lengths("(3C>DE") == [1, third, 2 * third]
    assert lengths("(3[CE]DE F") == [2 * third] * 4 + [1]
    assert lengths("(3C{ef}D | E F") == [2 * third] * 3 + [1]


@pytest.mark.parametrize(
    ("notes", "time", "compound"), [(2, 3, 3), (4, 3, 3), (5, 2, 3), (6, 2, 2), (7, 2, 3), (8, 3, 3), (9, 2, 3)]
)
def test_tuplets_of_other_sizes(notes: int, time: int, compound: int) -> None:
    assert lengths(f"({notes}CDEFGABcd") == [Fraction(time, notes)] * notes + [1] * (9 - notes)
    assert lengths(f"({notes}CDEFGABcd", "M:6/8\nL:1/8\nK:C")[:notes] == [Fraction(compound, notes)] * notes


def test_chords_last_as_long_as_their_first_note() -> None:
    assert heard("[CEG]2 D") == [(0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 1, 62)]
    assert heard("[G2C2]D") == [(0, 2, 60), (0, 2, 67), (2, 1, 62)]
    assert heard("[C2E]3 D") == [(0, 6, 60), (0, 6, 64), (6, 1, 62)]
    half = Fraction(1, 2)
    assert heard('["4"C!2!.E{g}^G]/ D') == [(0, half, 60), (0, half, 64), (0, half, 68), (half, 1, 62)]


def test_rests() -> None:
    assert heard("z2C x/ D") == [(2, 1, 60), (Fraction(7, 2), 1, 62)]
    assert measures("C8|Z|Z2|D8|X|") == [8] * 6
    assert measures("Z2|C6|", "M:3/4\nL:1/8\nK:C") == [6, 6, 6]


@pytest.mark.parametrize(
    "decorated",
    ['"Am7"{AB}', "~", ".", "u", "v", "T", "H", "!trill!", "!8va(!", "!fermat:a!", '"^up"', "`", "(", "y", "\\\n", "!"],
)
def test_what_changes_no_note_is_passed_over(decorated: str) -> None:
    assert heard(f"C {decorated}D) E") == [(0, 1, 60), (1, 1, 62), (2, 1, 64)]


def test_comments_words_and_other_fields_hold_no_music() -> None:
    body = "C % CDE\n%%text EEE\nw: A B C\n+: D E\ns: !f! F\nP:A\nQ:1/4=100\nI:abc\nN:see [r:AB]\n[P:B]D[r:ABC]E\nW:A"
    assert heard(body) == [(0, 1, 60), (1, 1, 62), (2, 1, 64)]


def test_text_that_is_not_closed_ends_with_its_line() -> None:
    assert pitches('C "CDE\nD {EF\nE') == [60, 62, 64]


@pytest.mark.parametrize("line", BAR_LINES.split())
def test_bar_lines_in_all_their_shapes(line: str) -> None:
    assert measures(f"C8{line}D8 {line} E8|") == [8, 8, 8]


def test_between_bar_lines_without_a_note_there_is_no_measure() -> None:
    assert measures("|:C8| ||D8|]\n|: E8 | :|\n|]") == [8, 8, 8]


def test_brackets_after_a_bar_line_are_chords_fields_or_endings() -> None:
    assert heard("C8|[CE]8|[K:G]F8|[V:1]F8") == [(0, 8, 60), (8, 8, 60), (8, 8, 64), (16, 8, 66), (24, 8, 66)]


def test_the_number_of_an_ending_in_mid_bar_is_no_bar_line() -> None:
    assert measures("C8|C6 [1 D2|D8:|\n[2 D2|D8|]") == [8, 8, 8, 2, 8]
    assert lengths("C8|[1-3 D8:|[4 E8|") == [8, 8, 8]


def test_repeats_are_not_played_out() -> None:
    assert pitches("|:C8|1D8:|2E8|]") == [60, 62, 64]


def test_a_bar_cut_by_a_repeat_is_one_bar_again() -> None:
    read = score("G2|C8|C4 D2::E2|F8|F6:|")
    assert [measure.length * 2 // read.resolution for measure in read.measures] == [2, 8, 6, 2, 8, 6]
    spans = bar_spans(read.measures, read.resolution)
    assert [span.start * 2 // read.resolution for span in spans] == [2, 10, 18, 26]
    assert [bool(span.fault) for span in spans] == [False, False, False, True]


def test_a_measure_has_the_metre_in_which_it_begins() -> None:
    read = score("C8|[M:3/4]C6|\nM:2/2\nC8|C4[M:6/8]C4|C6|")
    assert [measure[2:] for measure in read.measures] == [(4, 4), (3, 4), (2, 2), (2, 2), (6, 8)]


def test_key_and_length_change_in_mid_tune() -> None:
    assert pitches("F|\nK:G\nF|[K:Dm]B F|") == [65, 66, 70, 65]
    assert lengths("C|\nL:1/16\nC[L:1/4]C|C", "M:4/4\nL:1/8\nK:C") == [1, Fraction(1, 2), 2, 2]
    assert lengths("C [M:2/4] C", "M:4/4\nK:C") == [1, 1]  # a new metre leaves the length as it is


def test_the_fifths_are_those_of_the_first_key() -> None:
    assert score("C\nK:D\nC", "M:4/4\nK:Gm").fifths == -2


def test_only_the_first_voice_is_read() -> None:
    lines = "V:1 name=A\nC8|D8|\nV:2\nE8|F8|\nV:1\nG8|\nV:2\nA8|"
    inline = "[V:1]C8|D8|\n[V:2]E8|F8|\n[V:1]G8|\n[V:2]A8|"
    together = "[V:1]C8|D8|[V:2]E8|F8|[V:1]G8|[V:2]A8|"
    for body in (lines, inline, together):
        assert heard(body) == [(0, 8, 60), (8, 8, 62), (16, 8, 67)]
    assert pitches("V:1\nV:2\nE8|\nV:1\nC8|\nV:2\nF8|") == [60]
    assert pitches("C8|\nV:1\nD8|\nV:2\nE8|\nV:1\nF8|") == [60, 62, 65]
    assert pitches("V:1\n^C4\nV:2\nK:Gb\nL:1/4\nM:3/4\n=C4|\nV:1\nC4F|F") == [61, 61, 65, 65]


def test_a_line_may_begin_with_a_note_and_a_repeat_sign() -> None:
    assert pitches("C6\nA:|B8\ng::a\nz:|b") == [60, 69, 71, 79, 81, 83]


def test_notes_are_in_order_of_start_then_pitch() -> None:
    notes = score("[GEC]2-[CB]2 [^^C_D]").parts[0].notes
    assert list(notes) == sorted(notes, key=lambda note: (note.start, note.pitch))
