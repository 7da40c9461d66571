"""The families of subjects that may be named, from "a tabby" up to "an animal": a table.

A family gathers groups of data/classes.txt and single classes. Its thresholds apply to the sum of its
probabilities. They were chosen on the tuning half of tests/drills/describing.tsv;
`python -m tests.drills.describing` prints how often a name was right on either half.
"""

from __future__ import annotations

from dataclasses import dataclass

_COMPANIONS = frozenset({"bird", "cat", "dog", "horse", "rabbit"})  # animals that are named beside a face


@dataclass(frozen=True, slots=True)
class Group:
    """A group of classes in data/classes.txt: its phrase and its tags."""

    phrase: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """What may be named.

    phrase, tags: for the family as a whole; None: the phrase and tags of its only group.
    groups, classes: the groups and the names of single classes whose probabilities are added.
    certain: the sum from which on it "looks like" one.
    possible: the sum from which on it is "possibly" one.
    beside_people: False: not named where a face is visible.
    """

    groups: tuple[str, ...]
    phrase: str | None = None
    tags: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    certain: float = 0.55
    possible: float = 0.35
    beside_people: bool = True


ANIMALS = {
    "amphibian": Group("a frog or salamander", ("amphibian", "animal")),
    "bear": Group("a bear", ("bear", "animal")),
    "big-cat": Group("a big cat", ("big cat", "animal")),
    "bird": Group("a bird", ("bird", "animal")),
    "butterfly": Group("a butterfly", ("butterfly", "insect", "animal")),
    "canine": Group("a wolf or fox", ("wild dog", "animal")),
    "cat": Group("a cat", ("cat", "animal")),
    "crocodile": Group("a crocodile", ("reptile", "animal")),
    "crustacean": Group("a crustacean", ("crustacean", "animal")),
    "dog": Group("a dog", ("dog", "animal")),
    "elephant": Group("an elephant", ("elephant", "animal")),
    "fish": Group("a fish", ("fish", "animal")),
    "hoofed": Group("a hoofed animal", ("hoofed animal", "animal")),
    "horse": Group("a horse", ("horse", "animal")),
    "insect": Group("an insect", ("insect", "animal")),
    "lizard": Group("a lizard", ("lizard", "reptile", "animal")),
    "marten": Group("a small furry animal", ("wildlife", "animal")),
    "mollusc": Group("a snail or shell", ("mollusk", "animal")),
    "panda": Group("a panda", ("panda", "animal")),
    "rabbit": Group("a rabbit or hare", ("rabbit", "animal")),
    "rodent": Group("a rodent", ("rodent", "animal")),
    "snake": Group("a snake", ("snake", "reptile", "animal")),
    "spider": Group("a spider or scorpion", ("arachnid", "animal")),
    "turtle": Group("a turtle", ("turtle", "reptile", "animal")),
    "whale": Group("a sea mammal", ("sea mammal", "animal")),
    "zebra": Group("a zebra", ("zebra", "animal")),
}

GROUPS = ANIMALS | {
    "aircraft": Group("an aircraft", ("aircraft",)),
    "bicycle": Group("a bicycle", ("bicycle", "vehicle")),
    "boat": Group("a boat or ship", ("boat",)),
    "bridge": Group("a bridge", ("bridge",)),
    "building": Group("a building", ("building",)),
    "bus": Group("a bus", ("bus", "vehicle")),
    "car": Group("a car", ("car", "vehicle")),
    "clock": Group("a clock or watch", ("clock",)),
    "computer": Group("a computer or screen", ("computer",)),
    "cup": Group("a cup", ("cup",)),
    "drink": Group("a drink", ("drink",)),
    "flower": Group("a flower", ("flower",)),
    "food": Group("a dish of food", ("food",)),
    "guitar": Group("a guitar", ("guitar", "musical instrument")),
    "keyboard": Group("a computer keyboard", ("keyboard",)),
    "lighthouse": Group("a lighthouse", ("lighthouse",)),
    "motorcycle": Group("a motorcycle or scooter", ("motorcycle", "vehicle")),
    "mountains": Group("mountains", ("mountains", "landscape")),
    "mushroom": Group("a mushroom", ("mushroom",)),
    "produce": Group("fruit or vegetables", ("produce", "food")),
    "shore": Group("a coast or lake", ("shore", "landscape")),
    "train": Group("a train", ("train", "vehicle")),
    "truck": Group("a truck", ("truck", "vehicle")),
    "valley": Group("a valley", ("valley", "landscape")),
}

# A classifier of 1,000 classes has an animal for nearly everything; what is no animal at all scores up to 0.6.
_ANIMAL_FAMILIES = {
    name: Family((name,), certain=0.75, possible=0.65, beside_people=name in _COMPANIONS) for name in ANIMALS
}

FAMILIES = _ANIMAL_FAMILIES | {
    "aircraft": Family(("aircraft",)),
    "balloon": Family((), "a balloon or parachute", ("balloon",), ("balloon", "parachute", "airship")),
    "ball": Family(
        (),
        "a ball",
        ("ball",),
        (
            *("baseball", "basketball", "croquet ball", "golf ball", "ping-pong ball", "rugby ball"),
            *("soccer ball", "tennis ball", "volleyball"),
        ),
        certain=0.75,
        possible=0.55,
    ),
    "boat": Family(("boat",)),
    "books": Family(
        (), "shelves of books", ("books",), ("library", "bookcase", "bookshop"), certain=0.7, possible=0.5
    ),
    "bridge": Family(("bridge",)),
    "building": Family(
        ("building",),
        "a building",
        ("building",),
        (
            *("obelisk", "triumphal arch", "stupa", "dome", "vaulted ceiling", "altar", "tile roof"),
            *("restaurant", "bakery", "planetarium", "yurt", "totem pole"),
        ),
        possible=0.28,
    ),
    "clock": Family(("clock",)),
    "cup": Family(("cup", "drink"), "a cup or drink", ("drink",)),
    "electronics": Family(
        ("computer", "keyboard"),
        "an electronic device",
        ("electronics",),
        (
            *("modem", "hard disk", "oscilloscope", "radio", "computer mouse", "printer", "photocopier"),
            *("CD player", "cassette player", "tape player", "mobile phone"),
        ),
    ),
    "flower": Family(("flower",), certain=0.6, possible=0.3),
    "food": Family(("food", "produce"), "food", ("food",), certain=0.6),
    "instrument": Family(
        ("guitar",),
        "a musical instrument",
        ("musical instrument",),
        (
            *("accordion", "banjo", "bassoon", "cello", "cornet", "drum", "flute", "French horn", "gong"),
            *("grand piano", "harmonica", "harp", "maraca", "marimba", "oboe", "ocarina", "pipe organ"),
            *("saxophone", "steel drum", "trombone", "upright piano", "violin"),
        ),
        certain=0.75,
        possible=0.75,
    ),
    "kitchenware": Family(
        (),
        "kitchenware",
        ("kitchenware",),
        (
            *("frying pan", "ladle", "spatula", "teapot", "pitcher", "water jug", "jug", "mixing bowl"),
            *("soup bowl", "coffeepot", "Dutch oven", "wok", "wooden spoon", "measuring cup", "cauldron"),
            *("milk can", "plate"),
        ),
        certain=0.75,
        possible=0.55,
    ),
    "landscape": Family(
        ("mountains", "valley", "shore"), "a landscape", ("landscape",), ("dam", "pier", "breakwater")
    ),
    "lighthouse": Family(("lighthouse",)),
    "mushroom": Family(("mushroom",), certain=0.6, possible=0.45),
    "potted plant": Family((), "a potted plant", ("plant",), ("potted plant",), certain=0.6, possible=0.25),
    "text": Family(
        (),
        "a printed page",
        ("text",),
        ("crossword", "menu", "book jacket", "envelope", "web page"),
        certain=0.7,
        possible=0.5,
    ),
    "tool": Family(
        (),
        "a tool",
        ("tool",),
        (
            *("hammer", "hatchet", "chainsaw", "screwdriver", "shovel", "can opener", "corkscrew"),
            *("paintbrush", "power drill", "woodworking plane", "broom", "mop", "nail", "screw"),
            *("letter opener", "tool kit"),
        ),
        certain=0.75,
        possible=0.55,
    ),
    "vehicle": Family(
        ("car", "bus", "truck", "train", "motorcycle", "bicycle"),
        "a vehicle",
        ("vehicle",),
        (
            *("tractor", "tricycle", "oxcart", "snowplow", "forklift", "go-kart", "golf cart"),
            *("half-track", "recreational vehicle", "car mirror", "car wheel", "car grille", "disc brake"),
        ),
    ),
}
