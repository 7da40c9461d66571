"""Chooses the subject that may be named, or none, from the classifier's 1,000 probabilities.

data/classes.txt has a line for each of ImageNet's classes, in their order: the name that is used,
and after a tab the group it belongs to. A group (a cat) is often certain where its kind (a tabby)
is not, and a family (a vehicle) where its group (a truck) is not; see families.py. "~" marks a name that takes
no article, "-" a class that is never named:

- apes and monkeys: there is no worse mistake to make about a person;
- clothes, aids, make-up and roles: they are seen on people, about whom nothing is to be guessed;
- weapons and the like: a false alarm would do harm;
- hen of the woods: the classifier takes roses and nuts for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from imgcore.captioning.local.families import ANIMALS, FAMILIES, GROUPS, Family, Group
from imgcore.captioning.local.findings import Subject

_KIND_LIKELY = 0.5  # the class within a group: "perhaps a tabby"
_CLASS_LIKELY = 0.75  # a class without a family: "possibly a rocking chair"
_ANIMAL_LIKELY = 0.55  # some animal, whichever it is: "possibly an animal"
_MONKEY = 0.1  # monkeys together; above it no animal is named, because it may be a person

# From one view of the picture on that is so clear, or so far from every family, a second one was never worth
# its time: over the photos of tests/drills/describing.tsv, as many are named, and as many names are right.
_CLEAR, _UNCLEAR, _FAR = 0.6, 0.4, 0.2

# A flower that the classifier does not know scores as a daisy and as insects that are photographed on flowers.
_POLLINATORS = ("bee", "ladybug", "ringlet", "monarch", "cabbage white", "sulphur butterfly", "lycaenid")
_FLOWER_SOME, _FLOWER_WITH_POLLINATORS, _POLLINATOR_CERTAIN = 0.12, 0.45, 0.6

_MONKEYS = range(365, 385)
_INSECTS = range(300, 327)
_ANIMALS = range(398)


@dataclass(frozen=True, slots=True)
class _Class:
    name: str | None  # None: never named
    plural: bool  # takes no article
    group: str | None


@cache
def classes() -> tuple[_Class, ...]:
    """Return ImageNet's 1,000 classes in their order."""
    text = resources.files("imgcore.captioning.local").joinpath("data/classes.txt").read_text("utf-8")
    return tuple(_parse(line) for line in text.splitlines())


def _parse(line: str) -> _Class:
    name, _, group = line.partition("\t")
    return _Class(None if name == "-" else name.lstrip("~"), name.startswith("~"), group or None)


@cache
def members(family: str) -> tuple[int, ...]:
    """Return the indexes of a family's classes. What one family names itself is in no other one's group."""
    own = set(FAMILIES[family].classes)
    others = {name for key, other in FAMILIES.items() if key != family for name in other.classes}
    return tuple(
        index
        for index, entry in enumerate(classes())
        if entry.name in own or (entry.group in FAMILIES[family].groups and entry.name not in others)
    )


def with_article(name: str) -> str:
    """Return the name with its article, by sound: "a cat", "an hourglass", "a unicycle", "an MP3 player"."""
    vowel = name[0].lower() in "aeiou" and not name.startswith(("uni", "eu", "one"))
    return f"an {name}" if vowel or name.startswith(("hour", "MP3", "heir")) else f"a {name}"


def subject(probabilities: Sequence[float], *, faces: int) -> Subject | None:
    """Return the subject that may be named, or None. ``probabilities``: of the 1,000 classes, in order."""
    totals = {name: sum(probabilities[i] for i in members(name)) for name in FAMILIES}
    name = max(totals, key=totals.__getitem__)
    family, total = FAMILIES[name], totals[name]
    if total >= family.possible:
        if faces and not family.beside_people:
            return None
        return _of_family(family, probabilities, sure=total >= family.certain)
    if faces:
        return _single(probabilities)
    return _flower(totals, probabilities) or _animal(probabilities) or _single(probabilities)


def is_undecided(probabilities: Sequence[float]) -> bool:
    """Return whether another view of the picture may change the subject.

    It does not where one class is clear, or where no class and no family comes near what is named.
    """
    best = max(probabilities)
    if best >= _CLEAR:
        return False
    return best >= _UNCLEAR or any(
        sum(probabilities[i] for i in members(name)) >= _FAR * family.possible
        for name, family in FAMILIES.items()
    )


def _of_family(family: Family, probabilities: Sequence[float], *, sure: bool) -> Subject:
    """Name the family's most likely group if it alone is certain enough, else the family."""
    groups = {name: _sum_of(name, probabilities) for name in family.groups}
    likeliest = max(groups, key=groups.__getitem__, default=None)
    if likeliest is None or (
        family.phrase and groups[likeliest] < (family.certain if sure else family.possible)
    ):
        return Subject(family.phrase or "", None, sure=sure, tags=family.tags)
    group = GROUPS[likeliest]
    known = classes()
    best = max((i for i, e in enumerate(known) if e.group == likeliest), key=probabilities.__getitem__)
    if sure and probabilities[best] >= _KIND_LIKELY:
        return _with_kind(group, known[best])
    return Subject(group.phrase, None, sure=sure, tags=group.tags)


def _sum_of(group: str, probabilities: Sequence[float]) -> float:
    return sum(p for p, entry in zip(probabilities, classes(), strict=True) if entry.group == group)


def _with_kind(group: Group, kind: _Class) -> Subject:
    if kind.name is None or kind.name in group.phrase:
        return Subject(group.phrase, None, sure=True, tags=group.tags)
    first, *rest = group.tags
    return Subject(group.phrase, _phrase(kind), sure=True, tags=(first, kind.name.lower(), *rest))


def _phrase(entry: _Class) -> str:
    name = entry.name or ""
    return name if entry.plural else with_article(name)


def _flower(totals: dict[str, float], probabilities: Sequence[float]) -> Subject | None:
    visitors = sum(p for p, e in zip(probabilities, classes(), strict=True) if e.name in _POLLINATORS)
    insect = max(totals["insect"], totals["butterfly"])
    flower = totals["flower"]
    if flower < _FLOWER_SOME or flower + visitors < _FLOWER_WITH_POLLINATORS or insect >= _POLLINATOR_CERTAIN:
        return None
    return Subject(GROUPS["flower"].phrase, None, sure=False, tags=GROUPS["flower"].tags)


def _animal(probabilities: Sequence[float]) -> Subject | None:
    """Name "an animal" where its kind is uncertain. Insects are left out: they are seen in leaves and grass."""
    if sum(probabilities[i] for i in _MONKEYS) >= _MONKEY:
        return None
    likely = sum(probabilities[i] for i in _ANIMALS if i not in _MONKEYS and i not in _INSECTS)
    return Subject("an animal", None, sure=False, tags=("animal",)) if likely >= _ANIMAL_LIKELY else None


def _single(probabilities: Sequence[float]) -> Subject | None:
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    entry = classes()[best]
    if probabilities[best] < _CLASS_LIKELY or entry.name is None or entry.group in ANIMALS:
        return None
    return Subject(_phrase(entry), None, sure=False, tags=(entry.name.lower(),))
