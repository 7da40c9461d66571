"""How each thing that Gemini may say ends, through the real SDK over the loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from imgcore.captioning.prompt import PROMPT_VERSION
from imgcore.errors import BadAnswer, Blocked, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.models import Description, Safety, Source
from tests.contract.captioning_tools import MODEL, Bench
from tests.fake_gemini import FakeGemini
from tests.gemini_replies import SCENARIOS, Reply, answer, description, error, limited


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    """A Gemini that describes every image until it is configured otherwise."""
    with FakeGemini() as server:
        yield server


TRANSIENT = [0.5, 1.0, 2.0]  # full jitter at one half: of 1, 2 and 4 s
HINTED = [35.075] * 3  # 34.074824224 s from the response, and half of 2 s

ENDS = [
    # Overloaded or away: four requests, then a later run.
    ("500", Unavailable, "unavailable", TRANSIENT),
    ("503", Unavailable, "unavailable", TRANSIENT),
    ("504", Unavailable, "unavailable", TRANSIENT),
    ("html502", Unavailable, "unavailable", TRANSIENT),
    ("html503", Unavailable, "unavailable", TRANSIENT),
    ("reset", Unavailable, "unavailable", TRANSIENT),
    ("cut_off", Unavailable, "unavailable", TRANSIENT),
    ("204", Unavailable, "unavailable", []),
    ("501", Unavailable, "unavailable", []),
    # Too many requests: the wait of the response.
    ("429", RateLimited, "rate_limited", HINTED),
    ("listerr", RateLimited, "rate_limited", HINTED),
    ("429plain", RateLimited, "rate_limited", TRANSIENT),
    ("html429", RateLimited, "rate_limited", TRANSIENT),
    ("header429", RateLimited, "rate_limited", [7.45] * 3),
    ("429day", RateLimited, "quota_exhausted", []),
    # Settings that somebody has to correct: at once.
    ("400key", Misconfigured, "key_refused", []),
    ("403key", Misconfigured, "key_refused", []),
    # Each of these with its own code, because each is corrected in another place.
    ("400region", Misconfigured, "location_not_supported", []),
    ("400billing", Misconfigured, "billing_required", []),
    ("403", Misconfigured, "api_not_enabled", []),
    ("403disabled", Misconfigured, "api_not_enabled", []),
    ("403leaked", Misconfigured, "key_leaked", []),
    ("403referrer", Misconfigured, "key_restricted", []),
    ("403service", Misconfigured, "key_restricted", []),
    ("403suspended", Misconfigured, "project_suspended", []),
    ("429credits", Misconfigured, "credits_exhausted", []),
    ("429cap", Misconfigured, "spending_cap", []),
    ("429zero", Misconfigured, "quota_zero", []),
    ("404", Misconfigured, "model_retired", []),
    ("302", Misconfigured, "wrong_address", []),
    ("html404", Misconfigured, "wrong_address", []),
    # Declined.
    ("promptblock", Blocked, "blocked", []),
    ("safety", Blocked, "blocked", []),
    # Answers that are no description: three requests, or one more where it is the model that stopped.
    ("400", BadAnswer, "model_refused_image", []),
    ("nojson", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("wrongschema", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("badbody", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("truncbody", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("huge", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("endless", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("deep", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("deeptext", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("maxtokens", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("maxtokens_empty", BadAnswer, "bad_answer", [0.5, 1.0]),
    ("refusal", Blocked, "not_described", [0.5]),
    ("recitation", BadAnswer, "bad_answer", [0.5]),
    ("empty", BadAnswer, "bad_answer", [0.5]),
    ("emptybody", BadAnswer, "bad_answer", [0.5]),
]


@pytest.mark.parametrize(("scenario", "kind", "code", "waits"), ENDS, ids=[case[0] for case in ENDS])
def test_captioner_with_each_scenario_ends_as_expected(
    gemini: FakeGemini, scenario: str, kind: type, code: str, waits: list[float]
) -> None:
    gemini.play(scenario)
    bench = Bench(gemini)
    end = bench.end()
    assert (kind, code, waits, len(waits) + 1) == (type(end), end.code, bench.clock.slept, bench.requests)


def test_captioner_error_is_permanent_only_for_the_image() -> None:
    permanent = {kind for _, kind, _, _ in ENDS if kind.permanent}
    assert {Blocked, BadAnswer} == permanent


DESCRIBED = ("ok", "each", "unknownreason", "nul")
AGAIN = {"page_of_text": 3, "quotation": 2}  # described in the end: how many requests that needs


@pytest.mark.parametrize(("scenario", "requests"), AGAIN.items())
def test_captioner_asks_again_without_the_visible_text(
    gemini: FakeGemini, scenario: str, requests: int
) -> None:
    """A page of text is described with its own limit, then a larger one, then without its text."""
    gemini.play(scenario)
    bench = Bench(gemini)
    assert ("A red barn stands in a snowy field.", requests) == (bench.describe().caption, bench.requests)
    last = gemini.asked[-1].body
    assert "visible_text" not in json.dumps(last)


def test_captioner_uses_the_complete_fields_of_a_cut_answer(gemini: FakeGemini) -> None:
    """One request is enough."""
    gemini.play(answer(json.dumps(description(visible_text="word " * 300))[:400], "MAX_TOKENS"))
    bench = Bench(gemini)
    found = bench.describe()
    assert ("Red barn in a snowy field", "", 1) == (found.alt_text, found.visible_text, bench.requests)


def test_captioner_scenarios_are_all_tested() -> None:
    assert set(SCENARIOS) <= {case[0] for case in ENDS} | {*DESCRIBED, *AGAIN, "400thinking"}


@pytest.mark.filterwarnings("ignore:BRAND_NEW_REASON")  # the SDK's own remark
@pytest.mark.parametrize("scenario", DESCRIBED)
def test_captioner_returns_the_description(gemini: FakeGemini, scenario: str) -> None:
    """A description is taken at the first request, whatever else came with it."""
    gemini.play(scenario)
    bench = Bench(gemini)
    assert (Source.GEMINI, 1) == (bench.describe().source, bench.requests)


def test_captioner_returns_every_field_of_a_description(gemini: FakeGemini) -> None:
    """Every part of the answer arrives, with the model that gave it, its tokens and its price."""
    words = description(visible_text="Barn No. 7", safety="sensitive")
    gemini.play(answer(json.dumps(words), modelVersion="gemini-3.5-flash-lite-001"))
    expected = Description(
        caption="A red barn stands in a snowy field.",
        alt_text="Red barn in a snowy field",
        tags=("barn", "snow", "field"),
        source=Source.GEMINI,
        visible_text="Barn No. 7",
        safety=Safety.SENSITIVE,
        model="gemini-3.5-flash-lite-001",
        prompt_version=PROMPT_VERSION,
        input_tokens=700,
        output_tokens=90,
        price_usd=(700 * 0.30 + 90 * 2.50) / 1_000_000,
        language="en",
    )
    assert expected == Bench(gemini).describe()


def test_captioner_removes_characters_that_databases_refuse(gemini: FakeGemini) -> None:
    """NUL, direction marks and lone surrogates do not survive; markup stays text."""
    gemini.play("nul")
    found = Bench(gemini).describe()
    assert ("A <script>alert(1)</script> barn.", "") == (found.caption, found.visible_text)


def test_captioner_accepts_a_slow_answer(gemini: FakeGemini) -> None:
    gemini.delay = 0.3
    bench = Bench(gemini)
    assert ("Red barn in a snowy field", 1) == (bench.describe().alt_text, bench.requests)


@pytest.mark.parametrize(
    "script",
    [
        ("503", "ok"),
        ("503", "500", "429", "ok"),
        ("nojson", "badbody", "ok"),
        ("maxtokens", "ok"),
        ("recitation", "ok"),
        ("empty", "ok"),
        ("reset", "nojson", "empty", "ok"),
    ],
    ids="+".join,
)
def test_captioner_recovers_after_failures(gemini: FakeGemini, script: tuple[str, ...]) -> None:
    gemini.play(*script)
    bench = Bench(gemini)
    assert (MODEL, len(script)) == (bench.describe().model, bench.requests)


def test_captioner_after_max_tokens_doubles_the_limit(gemini: FakeGemini) -> None:
    """An answer that ran into its limit is asked for with the limit doubled, and so is what follows."""
    gemini.play("503", "maxtokens", "503", "ok")
    Bench(gemini).describe()
    limits = [asked.body["generation_config"]["max_output_tokens"] for asked in gemini.asked]
    assert [512, 512, 1024, 1024] == limits


def test_captioner_makes_at_most_four_requests(gemini: FakeGemini) -> None:
    """Mixed failures end after four requests, and not for good: no kind of failure used up its own tries."""
    gemini.play("nojson", "503", "503", "nojson", "ok")
    bench = Bench(gemini)
    end = bench.end()
    assert ("out_of_time", False, 4) == (end.code, end.permanent, bench.requests)


def test_captioner_waits_as_asked_if_the_deadline_allows(gemini: FakeGemini) -> None:
    """A 429's delay is sat out where 15 s are left after it."""
    gemini.play("429:34", "ok")
    bench = Bench(gemini)
    assert (MODEL, [35.0]) == (bench.describe(deadline=50.0).model, bench.clock.slept)


def test_captioner_raises_if_the_wait_exceeds_the_deadline(gemini: FakeGemini) -> None:
    gemini.play("429:34", "ok")
    bench = Bench(gemini)
    end = bench.end(deadline=49.9)
    assert (RateLimited, 34.0, []) == (type(end), end.retry_after, bench.clock.slept)


def test_captioner_honours_a_hint_of_an_overloaded_server(gemini: FakeGemini) -> None:
    """A 503 with a Retry-After is waited for, or handed on, like a 429."""
    gemini.play(Reply(503, b"", (("Retry-After", "600"),)))
    bench = Bench(gemini)
    end = bench.end(deadline=100.0)
    assert (Unavailable, 600.0, 1) == (type(end), end.retry_after, bench.requests)


def test_captioner_limits_a_hint_to_one_day(gemini: FakeGemini) -> None:
    gemini.play(limited("999999999"))
    assert 86_400.0 == Bench(gemini).end().retry_after


def test_captioner_out_of_time_after_bad_answers_is_not_permanent(gemini: FakeGemini) -> None:
    """It is not the service that is away, either."""
    gemini.play("nojson")
    end = Bench(gemini).end(deadline=15.1)
    assert (BadAnswer, "out_of_time", False) == (type(end), end.code, end.permanent)


def test_captioner_out_of_time_after_an_outage_raises_unavailable(gemini: FakeGemini) -> None:
    gemini.play("503")
    assert "unavailable" == Bench(gemini).end(deadline=15.1).code


def test_captioner_without_time_makes_no_request(gemini: FakeGemini) -> None:
    bench = Bench(gemini)
    assert ("out_of_time", 0) == (bench.end(deadline=9.9).code, bench.requests)


def test_captioner_counts_tokens_of_unused_answers(gemini: FakeGemini) -> None:
    gemini.play("nojson", "ok")
    found = Bench(gemini).describe()
    assert (1400, 180, 0.00087) == (found.input_tokens, found.output_tokens, round(found.price_usd or 0, 9))


def test_captioner_counts_thinking_as_output(gemini: FakeGemini) -> None:
    """Tokens that were spent on thinking are billed as output, and counted so."""
    usage = {"promptTokenCount": 700, "candidatesTokenCount": 90, "thoughtsTokenCount": 10}
    gemini.play(answer(json.dumps(description()), usageMetadata=usage))
    assert 100 == Bench(gemini).describe().output_tokens


def test_captioner_with_an_unknown_model_has_no_price(gemini: FakeGemini) -> None:
    found = Bench(gemini, model="gemini-9-dream").describe()
    assert ("gemini-9-dream", 700, None) == (found.model, found.input_tokens, found.price_usd)


def test_captioner_without_token_counts_has_none(gemini: FakeGemini) -> None:
    gemini.play(answer(json.dumps(description()), usageMetadata=None, modelVersion=None))
    found = Bench(gemini).describe()
    expected = (MODEL, None, None, None)
    assert expected == (found.model, found.input_tokens, found.output_tokens, found.price_usd)


def test_captioner_ignores_implausible_usage(gemini: FakeGemini) -> None:
    usage = {"promptTokenCount": 10**30, "candidatesTokenCount": -5}
    gemini.play(answer(json.dumps(description()), usageMetadata=usage, modelVersion="a\0b" * 99))
    found = Bench(gemini).describe()
    assert (MODEL, 10_000_000, None) == (found.model, found.input_tokens, found.output_tokens)


def test_captioner_with_a_retired_model_uses_the_next(gemini: FakeGemini) -> None:
    """The next of the list is asked at once, and first from then on."""
    gemini.models = {"gemini-3.5-flash"}
    bench = Bench(gemini, fallback_models=("gemini-3.1-flash-lite", "gemini-3.5-flash"))
    models = [bench.describe().model, bench.describe().model]
    asked = [asked.model.removeprefix("models/") for asked in gemini.asked]
    expected = [MODEL, "gemini-3.1-flash-lite", "gemini-3.5-flash", "gemini-3.5-flash"]
    assert (["gemini-3.5-flash"] * 2, expected, []) == (models, asked, bench.clock.slept)


UNFIT = error(400, "INVALID_ARGUMENT", "Image input modality is not enabled for this model.")
REFUSED = {
    "thinking_config": error(
        400, "INVALID_ARGUMENT", "Thinking level MINIMAL is not supported for this model."
    ),
    "media_resolution": error(400, "INVALID_ARGUMENT", "Media resolution is not supported for this model."),
    "response_json_schema": error(400, "INVALID_ARGUMENT", 'Unknown name "responseJsonSchema"'),
}


def test_captioner_with_an_unfit_model_uses_the_next(gemini: FakeGemini) -> None:
    gemini.play(UNFIT, "ok")
    bench = Bench(gemini, fallback_models=("gemini-3.5-flash",))
    assert "gemini-3.5-flash" == bench.describe().model


@pytest.mark.parametrize("option", REFUSED)
def test_captioner_leaves_out_an_option_that_a_model_refuses(gemini: FakeGemini, option: str) -> None:
    """It is tried once without that option, at once, and the model is remembered for it."""
    gemini.play(REFUSED[option], "ok")
    bench = Bench(gemini)
    bench.describe()
    bench.describe()
    sent = [option in asked.body["generation_config"] for asked in gemini.asked]
    assert ([True, False, False], []) == (sent, bench.clock.slept)


def test_captioner_whose_model_refuses_an_option_twice_raises_misconfigured(gemini: FakeGemini) -> None:
    gemini.play(REFUSED["thinking_config"])
    bench = Bench(gemini)
    assert ("model_unfit", 2) == (bench.end().code, bench.requests)


@pytest.mark.parametrize("model", ["gemini-3.7-flash", "gemini-3.8-flash"])
def test_captioner_uses_a_model_that_thinks_more(gemini: FakeGemini, model: str) -> None:
    """The thoughts count towards the limit of tokens, which is raised by as much."""
    bench = Bench(gemini, model=model)
    assert (model, 2) == (bench.describe().model, bench.requests)
    assert 512 + 4096 == gemini.asked[-1].body["generation_config"]["max_output_tokens"]


def test_captioner_with_an_exhausted_model_uses_the_next(gemini: FakeGemini) -> None:
    """A quota of the day belongs to one model; after an hour it is tried again, for it may have been raised."""
    gemini.play("429day", "ok")
    bench = Bench(gemini, fallback_models=("gemini-3.5-flash",))
    models = [bench.describe().model, bench.describe().model]
    bench.clock.time += 3601.0
    models.append(bench.describe(deadline=9000.0).model)
    assert ["gemini-3.5-flash", "gemini-3.5-flash", MODEL] == models
    assert [] == bench.clock.slept


def test_captioner_with_all_models_exhausted_waits_for_the_day(gemini: FakeGemini) -> None:
    gemini.play("429day", "429zero")
    bench = Bench(gemini, fallback_models=("gemini-3.5-flash",))
    assert ("quota_exhausted", 2) == (bench.end().code, bench.requests)


def test_captioner_without_quota_for_a_model_uses_the_next(gemini: FakeGemini) -> None:
    gemini.play("429zero", "ok")
    assert "gemini-3.5-flash" == Bench(gemini, fallback_models=("gemini-3.5-flash",)).describe().model


def test_captioner_without_any_model_raises_misconfigured(gemini: FakeGemini) -> None:
    """A setting is wrong if no model is left; a later run tries all of them again."""
    gemini.models = set()
    bench = Bench(gemini, fallback_models=("gemini-3.8-flash", MODEL))
    codes = [bench.end().code, bench.end().code]
    assert (["model_retired"] * 2, 4) == (codes, bench.requests)


def test_captioner_with_a_wrong_key_raises_misconfigured(gemini: FakeGemini) -> None:
    bench = Bench(gemini)
    gemini.key = bench.key.reveal()
    other = Bench(gemini)
    assert (MODEL, "key_refused") == (bench.describe().model, other.end().code)


def test_captioner_with_a_refused_image_raises_bad_answer(gemini: FakeGemini) -> None:
    gemini.play(Reply(413))
    assert "model_refused_image" == Bench(gemini).end().code


def test_captioner_with_an_unknown_refusal_raises_unavailable(gemini: FakeGemini) -> None:
    gemini.play(error(409, "ABORTED", "Something else."))
    bench = Bench(gemini)
    assert ("unavailable", 1) == (bench.end().code, bench.requests)


@pytest.mark.parametrize("scenario", [case[0] for case in ENDS])
def test_captioner_messages_are_sentences(gemini: FakeGemini, scenario: str) -> None:
    gemini.play(scenario)
    message = Bench(gemini).end().message
    assert message.endswith(".")
    assert not {"HTTP", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "<html>", scenario} & set(message.split())
