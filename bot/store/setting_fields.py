"""What is known of one setting, and the types that settings are made of.

Sentences are marked for translation here and translated where they are shown (`bot.settings_ui`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic import PlainSerializer as Serializer
from pydantic_core import CoreSchema, core_schema

Condition = Mapping[str, tuple[Any, ...]]
"""The values of settings under which something holds, by the settings' names."""
EMOJI_CHARACTERS = 64


def _no_yes(value: Any) -> Any:
    """To Python `True` is 1, to a person it is not."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic listens to ValueError alone
    return value


def _one_emoji(value: str) -> str:
    """Refuse what is plainly no emoji; `bot.settings_ui` knows the others."""
    custom = re.fullmatch(r"<a?:\w{2,32}:\d{15,20}>", value)
    words = value.isascii() or any(character.isalpha() or character.isspace() for character in value)
    letter = value.rstrip("\ufe0f") == "\u2139"  # the one emoji that is a letter to Unicode
    if words and not custom and not letter:
        raise ValueError("must be one emoji, such as 🔍 or <:name:123456789012345678>")
    return value


Whole = Annotated[int, BeforeValidator(_no_yes)]
Fraction = Annotated[float, BeforeValidator(_no_yes)]
# As text in JSON, as Discord does it: many programs cannot hold a whole number that large.
Snowflake = Annotated[Whole, Field(gt=0, lt=2**63), Serializer(str, return_type=str, when_used="json")]
Snowflakes = Annotated[
    tuple[Snowflake, ...], Field(max_length=500), AfterValidator(lambda ids: tuple(sorted(set(ids))))
]
Emoji = Annotated[str, Field(max_length=EMOJI_CHARACTERS), AfterValidator(_one_emoji)]
ModelName = Annotated[str, Field(min_length=1, max_length=100)]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,4})?$")]


class StoredSettings(BaseModel):
    """Settings of one server or one member, of which the store keeps those that somebody chose."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SettingForm(NamedTuple):
    """A form for settings that are typed: the label of its button, its title, and a line below each label."""

    name: str
    button: str
    title: str
    description: str


@dataclass(frozen=True)
class SettingField:
    """One setting of a server, written into the annotation of its field, after the field's type.

    `kind` decides how people see and change it: a `choice` is one of `words` and `choices` are some of them;
    a `number` from `least` to `most` is chosen from a menu and a `limit` is typed; a `model` or a `language`
    is a name, and `channels` and `roles` are lists of ids.

    `options` are the options of the command `/settings PAGE` that change it: for `choices` one for each word,
    for ids one to add and one to take away. `unset` says what None or an empty list means, where that is not
    plain. While `matters` does not hold, the setting has no effect and is not shown. `hints` are sentences
    below its menu, each with when it is shown. A setting with a `form` is typed there, below `label`.
    """

    page: str
    title: str
    kind: Literal[
        "choice",
        "choices",
        "number",
        "percentage",
        "limit",
        "emoji",
        "model",
        "language",
        "channels",
        "roles",
    ]
    options: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    most: int = 0
    unset: str = ""
    matters: Condition = field(default_factory=dict)
    hints: tuple[tuple[str, Condition], ...] = ()
    form: SettingForm | None = None
    label: str = ""
    name: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic hold values to what is written here."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: Any) -> Any:
        if value is not None and self.most and not self.least <= value <= self.most:
            raise ValueError(f"must be from {self.least} to {self.most}")
        return tuple(each for each in self.words if each in value) if self.kind == "choices" else value


def fields_of(model: type[BaseModel]) -> tuple[SettingField, ...]:
    """Return the `SettingField` of each field of a model, in order and with its name."""
    return tuple(
        replace(each, name=name)
        for name, info in model.model_fields.items()
        for each in info.metadata
        if isinstance(each, SettingField)
    )
