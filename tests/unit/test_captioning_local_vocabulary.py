"""What may be named at what certainty, and what never is."""

from __future__ import annotations

import re

import pytest

from imgcore.captioning.local.families import FAMILIES, GROUPS
from imgcore.captioning.local.findings import Subject
from imgcore.captioning.local.vocabulary import classes, is_undecided, members, subject, with_article

TABBY, STRIPED, PERSIAN = 281, 282, 283
PIG, DOG, GORILLA, REVOLVER, BIKINI = 341, 208, 366, 763, 445
ROCKING_CHAIR, HAY, MOUNTAINS, HORSE = 765, 958, 970, 339


def probabilities(**likely: float) -> list[float]:
    """Return the probabilities of all classes; ``likely``: c281=0.7."""
    out = [0.0] * 1000
    for name, value in likely.items():
        out[int(name[1:])] = value
    return out


def test_vocabulary_every_class_has_its_line() -> None:
    """A thousand, as the classifier's last layer has."""
    assert 1000 == len(classes())


def test_vocabulary_every_group_is_known() -> None:
    """The groups of the file are those of the table."""
    assert set(GROUPS) == {entry.group for entry in classes() if entry.group}


def test_vocabulary_group_is_named_by_the_sum_of_its_kinds() -> None:
    """Three cats at 0.25 each are a cat."""
    found = subject(probabilities(c281=0.25, c282=0.25, c283=0.25), faces=0)
    assert Subject("a cat", None, sure=True, tags=("cat", "animal")) == found


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0.75, Subject("a cat", None, sure=True, tags=("cat", "animal"))),
        (0.74, Subject("a cat", None, sure=False, tags=("cat", "animal"))),
        (0.65, Subject("a cat", None, sure=False, tags=("cat", "animal"))),
        (0.64, Subject("an animal", None, sure=False, tags=("animal",))),
        (0.55, Subject("an animal", None, sure=False, tags=("animal",))),
        (0.54, None),
    ],
)
def test_vocabulary_wording_follows_the_thresholds(total: float, expected: Subject | None) -> None:
    """The lower the sum, the weaker the wording: looks like a cat, possibly a cat, possibly an animal, none."""
    third = total / 3 + 1e-12
    assert expected == subject(probabilities(c281=third, c282=third, c283=third), faces=0)


def test_vocabulary_family_is_named_where_no_group_is_certain() -> None:
    """A car or a truck is a vehicle."""
    found = subject(probabilities(c817=0.3, c867=0.3), faces=0)
    assert Subject("a vehicle", None, sure=True, tags=("vehicle",)) == found


def test_vocabulary_flower_is_known_by_its_visitors() -> None:
    """A dahlia scores as a daisy, a bee and a butterfly; the bee alone is no flower."""
    assert Subject("a flower", None, sure=False, tags=("flower",)) == subject(
        probabilities(c985=0.15, c309=0.2, c325=0.15), faces=0
    )
    assert subject(probabilities(c309=0.5), faces=0) is None


def test_vocabulary_no_animal_is_named_where_it_may_be_a_monkey() -> None:
    """It may be a person."""
    assert subject(probabilities(c281=0.6, c366=0.1), faces=0) is None


def test_vocabulary_each_class_belongs_to_one_family_at_most() -> None:
    """A probability must not count twice."""
    counted = [index for family in FAMILIES for index in members(family)]
    assert len(counted) == len(set(counted))


def test_vocabulary_families_name_known_classes() -> None:
    """A misspelt class would never count."""
    names = {entry.name for entry in classes()}
    assert set() == {name for family in FAMILIES.values() for name in family.classes} - names


def test_vocabulary_likely_kind_is_named_too() -> None:
    """The threshold of "perhaps a tabby" is 0.5."""
    found = subject(probabilities(c281=0.5, c282=0.3), faces=0)
    assert Subject("a cat", "a tabby", sure=True, tags=("cat", "tabby", "animal")) == found


def test_vocabulary_redundant_kind_is_left_out() -> None:
    """The text is not "mountains, perhaps mountains"."""
    found = subject(probabilities(c970=0.9), faces=0)
    assert Subject("mountains", None, sure=True, tags=("mountains", "landscape")) == found


def test_vocabulary_class_without_a_group_is_only_possible() -> None:
    """The threshold is 0.75."""
    found = [subject(probabilities(c765=value), faces=0) for value in (0.74, 0.75)]
    assert [None, Subject("a rocking chair", None, sure=False, tags=("rocking chair",))] == found


def test_vocabulary_mass_takes_no_article() -> None:
    """Hay, not "a hay"."""
    assert Subject("hay", None, sure=False, tags=("hay",)) == subject(probabilities(c958=0.9), faces=0)


@pytest.mark.parametrize("index", [*range(365, 385), REVOLVER, BIKINI, 413, 652, 834, 982])
def test_vocabulary_some_things_are_never_named(index: int) -> None:
    """Apes and monkeys, weapons, clothes and roles, however sure the net is."""
    assert subject(probabilities(**{f"c{index}": 1.0}), faces=0) is None


@pytest.mark.parametrize(
    ("index", "phrase"), [(PIG, None), (DOG, "a dog"), (HORSE, "a horse"), (MOUNTAINS, "mountains")]
)
def test_vocabulary_beside_a_face_only_companions_are_named(index: int, phrase: str | None) -> None:
    """A face and a pig would be said of one person too often."""
    found = subject(probabilities(**{f"c{index}": 0.9}), faces=1)
    assert phrase == (found and found.phrase)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cat", "a cat"),
        ("owl", "an owl"),
        ("hourglass", "an hourglass"),
        ("unicycle", "a unicycle"),
        ("umbrella", "an umbrella"),
        ("MP3 player", "an MP3 player"),
        ("Italian Greyhound", "an Italian Greyhound"),
    ],
)
def test_vocabulary_articles_follow_the_sound(name: str, expected: str) -> None:
    """The sound decides, not the letter."""
    assert expected == with_article(name)


def test_vocabulary_names_are_words() -> None:
    """No brackets, slashes or blanks at the ends: they are read aloud."""
    odd = [entry.name for entry in classes() if entry.name and not re.fullmatch(r"[\w.'é -]*\w", entry.name)]
    assert [] == odd


def test_vocabulary_group_phrases_carry_their_article() -> None:
    """Or are plurals."""
    odd = [group.phrase for group in GROUPS.values() if not group.phrase.startswith(("a ", "an "))]
    assert ["mountains", "fruit or vegetables"] == odd


@pytest.mark.parametrize(
    ("likely", "undecided"),
    [
        pytest.param({"c281": 0.6}, False, id="one class is clear"),
        pytest.param({"c281": 0.59}, True, id="one class is nearly clear"),
        pytest.param({"c281": 0.05, "c282": 0.05, "c283": 0.05}, True, id="a family is possible"),
        pytest.param({"c281": 0.06, "c282": 0.06}, False, id="every family is far"),
        pytest.param({f"c{ROCKING_CHAIR}": 0.4}, True, id="a class without a family is possible"),
        pytest.param({f"c{ROCKING_CHAIR}": 0.39}, False, id="that class is far"),
    ],
)
def test_vocabulary_second_view_where_it_may_change_the_subject(
    likely: dict[str, float], undecided: bool
) -> None:
    assert undecided == is_undecided(probabilities(**likely))
