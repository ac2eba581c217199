"""What a person sees is easy to read, inside every Discord limit, and can be nothing but text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_limits import EMBEDS_CHARACTERS, MESSAGE_CONTENT
from bot.i18n import ENGLISH
from bot.image_source import ImageSource
from bot.presentation.answer import DETAILED, Outcome, Writer, color
from bot.presentation.naming import Finding
from bot.presentation.plain_text import neutral
from bot.store import GuildSettings
from config.settings import Settings
from inference.results import Busy, Classification, Coarse, Label
from tests.world import CAT, classified

WRITER = Writer(Settings(), ENGLISH)


def outcome(result: Classification | Exception, name: str = "cat.png", *, spoiler: bool = False) -> Outcome:
    return Outcome(
        ImageSource(f"https://cdn.discordapp.com/{name}", name, "attachment", spoiler=spoiler), result
    )


def description(result: Classification, *, spoiler: bool = False) -> str:
    (embed,) = WRITER.write([outcome(result, spoiler=spoiler)]).embeds
    return str(embed.description)


@pytest.mark.parametrize(
    ("probability", "bar", "percent"),
    [
        (1.0, "██████████", "100%"),
        (0.996, "██████████", "100%"),
        (0.5, "█████░░░░░", " 50%"),
        (0.31, "███░░░░░░░", " 31%"),
    ],
)
def test_a_label_is_a_bar_and_a_percentage(probability: float, bar: str, percent: str) -> None:
    row = description(classified(("tabby", probability))).splitlines()[-1]
    assert row.replace("**", "") == f"`{bar} {percent}` tabby"


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.9, "`█████████░  90%` **tabby**"),
        (0.896, "`█████████░  90%` **tabby**"),  # what counts is the per cent that is shown
        (0.89, "Probably **a tabby**.\n`█████████░  89%` tabby"),
        (0.7, "Probably **a tabby**.\n`███████░░░  70%` tabby"),
        (0.69, "Maybe **a tabby**?\n`███████░░░  69%` tabby"),
        (0.3, "Maybe **a tabby**?\n`███░░░░░░░  30%` tabby"),
        (0.29, "I'm not sure. Maybe **a tabby**?"),
    ],
)
def test_the_words_match_the_odds_and_only_a_sure_name_is_drawn_bold_in_its_row(
    probability: float, said: str
) -> None:
    assert description(classified(("tabby", probability))) == said


def test_what_rounds_to_nothing_has_a_row_only_where_somebody_asked_for_the_ranks() -> None:
    result = classified(("tabby", 0.92), ("lynx", 0.001))
    assert description(result) == "`█████████░  92%` **tabby**"
    (embed,) = Writer(Settings(), ENGLISH, top=2).write([outcome(result)]).embeds
    assert str(embed.description).endswith("`░░░░░░░░░░  <1%` lynx")


COMPACT = Writer(Settings(), ENGLISH, guild=GuildSettings(style="compact"))


def test_compact_is_a_line_a_picture() -> None:
    sure, unsure = classified(("espresso", 0.94), ("cup", 0.03), ("plate", 0.001)), classified(("lynx", 0.1))
    likely = classified(("Egyptian cat", 0.71), ("tabby", 0.16))
    (one,) = COMPACT.write([outcome(sure)]).embeds
    assert one.description == "**espresso** 94% · cup 3%"
    (several,) = COMPACT.write([outcome(sure), outcome(likely, spoiler=True), outcome(unsure)]).embeds
    assert str(several.description).splitlines() == [
        "` 1` **espresso** 94% · cup 3%",
        "` 2` ||Probably **an Egyptian cat** 71% · tabby 16%||",
        "` 3` I'm not sure. Maybe **a lynx**?",
    ]


def test_one_failure_among_several_does_not_colour_the_answer_red() -> None:
    (embed,) = WRITER.write([*[outcome(CAT)] * 9, outcome(Busy("full"))]).embeds
    (all_failed,) = WRITER.write([outcome(Busy("full"))] * 10).embeds
    assert embed.color == color(Finding.of(CAT, 0.3))
    assert embed.color != all_failed.color


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("tabby", "**a tabby**"),
        ("axolotl", "**an axolotl**"),
        ("Egyptian cat", "**an Egyptian cat**"),
        ("unicycle", "**a unicycle**"),
        ("hourglass", "**an hourglass**"),
        ("house finch", "**a house finch**"),
        ("European fire salamander", "**a European fire salamander**"),
        ("jeans", "**jeans**"),
        ("velvet", "**velvet**"),
        ("Uncle Bob's lamp", "**Uncle Bob's lamp**"),  # of somebody's own model: no article is known
    ],
)
def test_a_doubtful_guess_is_said_in_a_sentence(name: str, guess: str) -> None:
    assert description(classified((name, 0.1))) == f"I'm not sure. Maybe {guess}?"


def test_several_classes_of_one_everyday_name_are_headed_by_it() -> None:
    cats = classified(("Egyptian cat", 0.61), ("tabby", 0.2), ("lynx", 0.1), coarse={"cat": 0.91})
    assert description(cats).splitlines() == [
        "**cat** 91%",
        "`██████░░░░  61%` Egyptian cat",
        "`██░░░░░░░░  20%` tabby",
        "`█░░░░░░░░░  10%` lynx",
    ]


@pytest.mark.parametrize(
    ("label", "coarse", "shown"),
    [
        (("Blenheim spaniel", 0.97), {"dog": 0.98}, "`██████████  97%` dog · **Blenheim spaniel**"),
        (("Egyptian cat", 0.97), {"cat": 0.98}, "`██████████  97%` **Egyptian cat**"),  # it says so itself
        (("Blenheim spaniel", 0.91), {"dog": 0.92}, "`█████████░  91%` dog · **Blenheim spaniel**"),
        (("espresso", 0.97), {"cup": 0.02}, "`██████████  97%` **espresso**"),
    ],
)
def test_a_sure_class_has_its_everyday_name_beside_it(
    label: tuple[str, float], coarse: dict[str, float | tuple[float, int]], shown: str
) -> None:
    assert description(classified(label, coarse=coarse)) == shown


@pytest.mark.parametrize(
    ("label", "coarse", "said"),
    [
        (("otterhound", 0.15), {"dog": 0.7}, "Probably **a dog**."),
        (("otterhound", 0.35), {"dog": 0.7}, "Probably **a dog**. Maybe **an otterhound**?"),
        (("otterhound", 0.15), {"dog": 0.5}, "Maybe **a dog**?"),
        (("otterhound", 0.1), {"dog": 0.29}, "I'm not sure. Maybe **an otterhound**?"),
        (("otterhound", 0.75), {"dog": 0.8}, "Probably **an otterhound**."),
        # A class may be called by the everyday name of its own; it is not said twice.
        (("corn", 0.5), {"corn": (0.75, 2)}, "Probably **corn**."),
        (("ear of corn", 0.5), {"corn": (0.75, 2)}, "Probably **corn**. Maybe **an ear of corn**?"),
        # Another everyday name than that of the best label would contradict the first row.
        (("lynx", 0.35), {"dog": 0.38}, "Maybe **a lynx**?"),
        (("lynx", 0.15), {"dog": 0.7}, "I'm not sure. Maybe **a lynx**?"),
        # A sum over 118 breeds needs more than one over three.
        (("otterhound", 0.15), {"dog": (0.6, 3)}, "Maybe **a dog**?"),
        (("otterhound", 0.15), {"dog": (0.6, 118)}, "I'm not sure. Maybe **a dog**?"),
        (("otterhound", 0.15), {"dog": (0.25, 118)}, "I'm not sure. Maybe **an otterhound**?"),
    ],
)
def test_in_doubt_about_the_class_the_everyday_name_is_said_where_that_is_likely(
    label: tuple[str, float], coarse: dict[str, float | tuple[float, int]], said: str
) -> None:
    assert description(classified(label, coarse=coarse)).splitlines()[0] == said


def test_a_servers_own_settings_come_before_the_owners() -> None:
    guild = GuildSettings(top=1, min_confidence=0.8)
    writer = Writer(Settings(), ENGLISH, guild=guild)
    sure, doubt = writer.write([outcome(classified(("tabby", 0.9), ("lynx", 0.1))), outcome(CAT)]).embeds
    assert sure.description == "`█████████░  90%` **tabby**"
    assert doubt.description == "I'm not sure. Maybe **an Egyptian cat**?"


def test_more_than_five_images_are_a_line_each() -> None:
    answer = WRITER.write(
        [
            outcome(CAT),
            outcome(classified(("tabby", 0.5), ("tiger cat", 0.4), coarse={"cat": 0.93})),
            outcome(classified(("Blenheim spaniel", 0.97), coarse={"dog": 0.98}), spoiler=True),
            outcome(classified(("lynx", 0.1)), "SPOILER_lynx.png", spoiler=True),
            outcome(Busy("full")),
            outcome(CAT),
        ]
    )
    (embed,) = answer.embeds
    assert str(embed.description).splitlines() == [
        "` 1` `████░  71%` Probably **an Egyptian cat**.",
        "` 2` `█████  93%` **cat** · tabby",
        "` 3` ||`█████  97%` dog · **Blenheim spaniel**||",
        "` 4` ||I'm not sure. Maybe **a lynx**?||",
        "` 5` I'm busy right now. Send it again in a minute.",
        "` 6` `████░  71%` Probably **an Egyptian cat**.",
    ]
    assert embed.footer.text == "MobileNetV2"
    assert embed.title is None


def test_how_sure_it_is_shows_in_the_colour() -> None:
    results = [classified(("tabby", p)) for p in (0.9, 0.7, 0.5)] + [Busy("full")]
    colors = [embed.color for embed in WRITER.write([outcome(result) for result in results]).embeds]
    assert len(set(colors)) == 4


def test_doubt_too_is_hidden_by_a_spoiler() -> None:
    assert description(classified(("tabby", 0.1)), spoiler=True) == "||I'm not sure. Maybe **a tabby**?||"


def test_a_spoiler_hides_its_files_name_also_among_others() -> None:
    answer = WRITER.write([outcome(CAT), outcome(CAT, "SPOILER_who_did_it.png", spoiler=True)])
    assert [embed.title for embed in answer.embeds] == ["1. cat.png", "2. spoiler"]
    assert "who" not in answer.plain


@pytest.mark.parametrize(
    "text",
    [
        *(
            "@everyone",
            "<@123>",
            "<@&123>",
            "<#1>",
            "</classify:1>",
            "<:cat:1>",
            "<t:1:R>",
            "https://a.example",
        ),
        *(
            "[click](https://a.example)",
            "**bold**",
            "_it_",
            "~~no~~",
            "`code`",
            "||hidden||",
            "discord.gg/abc",
        ),
    ],
)
def test_a_label_is_text_and_nothing_else(text: str) -> None:
    shown = description(classified((text, 0.9)))
    assert not re.search(r"(?<!\\)" + re.escape(text), shown)
    assert shown in WRITER.write([outcome(classified((text, 0.9)))]).plain
    seen = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", shown).replace("\u200b", "")  # as Discord shows it
    assert seen.endswith(f"**{text}**")


@given(st.text(max_size=300))
def test_a_label_is_one_line_without_a_working_sign(text: str) -> None:
    shown = neutral(text, 80)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~|`<\[/]|@(?!\u200b)", shown)
    assert len(re.sub(r"\\(.)|\u200b", r"\1", shown)) <= 80


names = st.text(min_size=1, max_size=400)
results = st.one_of(
    st.builds(
        lambda labels, coarse: Classification(
            tuple(Label(name, index, p, everyday) for index, (name, p, everyday) in enumerate(labels)),
            "m" * 300, "openvino", (9, 9), 1, 1, 1, tuple(Coarse(*pair) for pair in coarse),
        ),
        st.lists(st.tuples(names, st.floats(0, 1), st.none() | names), min_size=1, max_size=10),
        st.lists(st.tuples(names, st.floats(0, 1)), max_size=3),
    ),
    st.just(Busy("full")),
)  # fmt: skip


@given(
    st.lists(st.builds(outcome, results, names, spoiler=st.booleans()), min_size=1, max_size=10),
    st.none() | st.integers(1, 10),
    st.booleans(),
)
def test_every_answer_is_inside_discords_limits(
    outcomes: list[Outcome], top: int | None, apart: bool
) -> None:
    answer = Writer(Settings(), ENGLISH, top=top, apart=apart).write(outcomes, "one line", "another")
    assert len(answer.embeds) == (len(outcomes) if len(outcomes) <= DETAILED else 1)
    assert sum(map(len, answer.embeds)) <= EMBEDS_CHARACTERS == 6000
    assert len(answer.plain) <= MESSAGE_CONTENT == 2000
    for embed in answer.embeds:
        assert 0 < len(embed.description or "") <= 4096
        assert len(embed.title or "") <= 256
        assert len(embed.footer.text or "") <= 2048


def test_the_longest_labels_of_ten_images_still_fit() -> None:
    long = Classification(
        tuple(Label("*" * 400, n, 0.9) for n in range(10)), "m", "openvino", (9, 9), 1, 1, 1
    )
    for number in (DETAILED, 10):
        answer = Writer(Settings(), ENGLISH, top=10).write([outcome(long, "*" * 200 + ".png")] * number)
        assert sum(map(len, answer.embeds)) <= EMBEDS_CHARACTERS
        assert len(answer.plain) <= MESSAGE_CONTENT
        bars = "".join(str(embed.description) for embed in answer.embeds).count("█")
        assert bars >= 4 * number


def test_the_plain_answer_says_what_the_embeds_say() -> None:
    answer = WRITER.write([outcome(CAT), outcome(Busy("full"))], "A note.")
    for embed in answer.embeds:
        assert str(embed.description) in answer.plain
    assert answer.plain.startswith("A note.\n")
    assert answer.plain.endswith("\n-# MobileNetV2")
