"""What the bot is: its version, its model, what holds it, what it speaks, and where pictures go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from bot.i18n import N_, Language
from bot.presentation.plain_text import neutral
from config.model_titles import title_of
from inference.results import ModelCaveat, ModelInfo

LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
ENGINES: Final = {"openvino": "OpenVINO", "tensorflow": "TensorFlow"}
"""The proper names of the engines."""
AUTO = "MobileNetV2"
"""The model that is asked of TensorFlow Hub where the owner named none: see `inference.models.loading`."""
CAVEATS: Final[Mapping[ModelCaveat, str]] = {
    "hub_out_of_reach": N_("It stands in for {auto}, which could not be downloaded from TensorFlow Hub."),
    "hub_model_unusable": N_(
        "It stands in for {auto}, which came from TensorFlow Hub and could not be used."
    ),
    "slower_engine": N_("The slower engine runs it, because the faster one did not agree with it."),
    "no_bfloat16": N_("It computes in float32, because this processor has no bfloat16."),
}
SOURCE = N_("source")
WIDTH = 60


class AboutFacts(NamedTuple):
    """What is said of the bot. `source` is the address where its source can be read, where there is one."""

    version: str
    model: ModelInfo
    languages: Iterable[str]
    source: str | None


def about_text(facts: AboutFacts, language: Language) -> str:
    """Return it in Discord's markdown, in lines that a screen reader can read one by one."""
    say, model = language.gettext, facts.model
    engine = ENGINES.get(model.engine, model.engine)
    caveats = [say(CAVEATS[each]).format(auto=AUTO) for each in model.caveats]
    runs = say(N_("**Model**: {model}, on {engine}.")).format(
        model=neutral(title_of(model.name), WIDTH), engine=engine
    )
    source = f"[{say(SOURCE)}](<{facts.source}>)" if facts.source else ""
    licence = f"[Apache License 2.0](<{LICENCE}>)"
    lines = [
        say(N_("**Whatsit {version}** says what is in a picture.")).format(
            version=neutral(facts.version, 40)
        ),
        " ".join([runs, *caveats]),
        say(_sandbox(model)),
        say(N_("**Where pictures go**: nowhere. Only my owner's own machines look at them, and keep none.")),
        say(N_("**Languages**: {languages}")).format(languages=language.listed(facts.languages)),
        say(N_("**Licence**: {licence}")).format(licence=language.listed(filter(None, (licence, source)))),
    ]
    return "\n".join(lines)


def _sandbox(model: ModelInfo) -> str:
    held = model.sandbox
    if held.is_whole:
        return N_(
            "**Sandbox**: it holds. What reads pictures can open no file, reach no network, start no program."
        )
    if held.landlock or held.seccomp:
        return N_("**Sandbox**: it holds in part, because this system does not offer all of it.")
    return N_("**Sandbox**: there is none, because this system does not offer it.")
