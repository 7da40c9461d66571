"""Chooses the subject that may be named, or none, from the classifier's 1,000 probabilities.

data/classes.txt has a line for each of ImageNet's classes, in their order: the name that is said,
and after a tab the group it belongs to. A group (a cat) is often certain where its kind (a tabby)
is not. "~" marks a name that takes no article, "-" a class that is never named:

- apes and monkeys: there is no worse mistake to make about a person;
- clothes, aids, make-up and roles: they are said of people, about whom nothing is to be guessed;
- weapons and the like: a false alarm would do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from imgcore.captioning.local.findings import Subject

_GROUP_CERTAIN = 0.55  # summed over the group: "looks like a cat"
_KIND_LIKELY = 0.5  # the kind within it: "perhaps a tabby"
_CLASS_LIKELY = 0.6  # a class without a group: "possibly a rocking chair"


@dataclass(frozen=True, slots=True)
class Group:
    """A group of classes: its phrase and its tags."""

    phrase: str
    tags: tuple[str, ...]
    beside_people: bool = True  # False: not named where a face is visible


def _animal(phrase: str, *tags: str, beside_people: bool = False) -> Group:
    return Group(phrase, (*tags, "animal"), beside_people)


GROUPS = {
    "amphibian": _animal("a frog or salamander", "amphibian"),
    "bear": _animal("a bear", "bear"),
    "big-cat": _animal("a big cat", "big cat"),
    "bird": _animal("a bird", "bird", beside_people=True),
    "butterfly": _animal("a butterfly", "butterfly", "insect"),
    "canine": _animal("a wolf or fox", "wild dog"),
    "cat": _animal("a cat", "cat", beside_people=True),
    "crocodile": _animal("a crocodile", "reptile"),
    "crustacean": _animal("a crustacean", "crustacean"),
    "dog": _animal("a dog", "dog", beside_people=True),
    "elephant": _animal("an elephant", "elephant"),
    "fish": _animal("a fish", "fish"),
    "hoofed": _animal("a hoofed animal", "hoofed animal"),
    "horse": _animal("a horse", "horse", beside_people=True),
    "insect": _animal("an insect", "insect"),
    "lizard": _animal("a lizard", "lizard", "reptile"),
    "marten": _animal("a small furry animal", "wildlife"),
    "mollusc": _animal("a snail or shell", "mollusk"),
    "panda": _animal("a panda", "panda"),
    "rabbit": _animal("a rabbit or hare", "rabbit", beside_people=True),
    "rodent": _animal("a rodent", "rodent"),
    "snake": _animal("a snake", "snake", "reptile"),
    "spider": _animal("a spider or scorpion", "arachnid"),
    "turtle": _animal("a turtle", "turtle", "reptile"),
    "whale": _animal("a sea mammal", "sea mammal"),
    "zebra": _animal("a zebra", "zebra"),
    "aircraft": Group("an aircraft", ("aircraft",)),
    "bicycle": Group("a bicycle", ("bicycle",)),
    "boat": Group("a boat or ship", ("boat",)),
    "bridge": Group("a bridge", ("bridge",)),
    "building": Group("a building", ("building",)),
    "bus": Group("a bus", ("bus",)),
    "car": Group("a car", ("car",)),
    "clock": Group("a clock or watch", ("clock",)),
    "computer": Group("a computer or screen", ("computer",)),
    "cup": Group("a cup", ("cup",)),
    "drink": Group("a drink", ("drink",)),
    "flower": Group("a flower", ("flower",)),
    "food": Group("a dish of food", ("food",)),
    "guitar": Group("a guitar", ("guitar",)),
    "keyboard": Group("a computer keyboard", ("keyboard",)),
    "lighthouse": Group("a lighthouse", ("lighthouse",)),
    "motorcycle": Group("a motorcycle or scooter", ("motorcycle",)),
    "mountains": Group("mountains", ("mountains",)),
    "mushroom": Group("a mushroom", ("mushroom",)),
    "produce": Group("fruit or vegetables", ("produce", "food")),
    "shore": Group("a coast or lake", ("shore",)),
    "train": Group("a train", ("train",)),
    "truck": Group("a truck", ("truck",)),
    "valley": Group("a valley", ("valley",)),
}


@dataclass(frozen=True, slots=True)
class _Class:
    name: str | None  # None: never said
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


def with_article(name: str) -> str:
    """Return the name with its article, by sound: "a cat", "an hourglass", "a unicycle", "an MP3 player"."""
    vowel = name[0].lower() in "aeiou" and not name.startswith(("uni", "eu", "one"))
    return f"an {name}" if vowel or name.startswith(("hour", "MP3", "heir")) else f"a {name}"


def subject(probabilities: Sequence[float], *, faces: int) -> Subject | None:
    """Return the subject that may be named, or None. ``probabilities``: of the 1,000 classes, in order."""
    known = classes()
    totals = dict.fromkeys(GROUPS, 0.0)
    for entry, probability in zip(known, probabilities, strict=True):
        if entry.group:
            totals[entry.group] += probability
    name = max(totals, key=totals.__getitem__)
    if totals[name] >= _GROUP_CERTAIN:
        group = GROUPS[name]
        if faces and not group.beside_people:
            return None
        members = (i for i, entry in enumerate(known) if entry.group == name)
        best = max(members, key=probabilities.__getitem__)
        return _of_group(group, known[best], probabilities[best])
    best = max(range(len(known)), key=probabilities.__getitem__)
    if probabilities[best] < _CLASS_LIKELY or (said := known[best].name) is None:
        return None
    phrase = said if known[best].plural else with_article(said)
    return Subject(phrase, None, sure=False, tags=(said.lower(),))


def _of_group(group: Group, kind: _Class, probability: float) -> Subject:
    if probability < _KIND_LIKELY or kind.name is None or kind.name in group.phrase:
        return Subject(group.phrase, None, sure=True, tags=group.tags)
    detail = kind.name if kind.plural else with_article(kind.name)
    first, *rest = group.tags
    return Subject(group.phrase, detail, sure=True, tags=(first, kind.name.lower(), *rest))
