"""Which identifiers have been there before."""

import random

from al_service.survey.catalogs.seen import SeenTexts


def test_a_text_is_known_as_soon_as_it_was_there() -> None:
    seen = SeenTexts()
    assert seen.add(["a", "b", "a"]).tolist() == [False, False, True]
    assert seen.add([]).tolist() == []
    assert seen.add(["c", "b", "ä", "c"]).tolist() == [False, True, False, True]
    assert len(seen) == 4


def test_it_answers_as_a_set_does_however_many_parts_there_are() -> None:
    drawn = random.Random(0)
    seen, known = SeenTexts(), set[str]()
    for _ in range(100):
        part = [f"g{drawn.randrange(20_000)}" for _ in range(drawn.randrange(500))]
        expected = []
        for text in part:
            expected.append(text in known)
            known.add(text)
        assert seen.add(part).tolist() == expected
    assert len(seen) == len(known)
