"""What people answered to "Was this right?"."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import discord
from sqlalchemy import func, select

from bot.store.database import Database, Write
from bot.store.tables import Feedback

MAX_SAID = 100
"""Characters of "what is it?" that are kept; a name is shorter."""


@dataclass(slots=True)
class OpinionCount:
    """How many opinions called something right or wrong, and what they said it is instead."""

    right: int = 0
    wrong: int = 0
    instead: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> int:
        """How many opinions there are."""
        return self.right + self.wrong

    def add(self, count: int, *, right: bool, said: str | None) -> None:
        """Count so many opinions that say the same."""
        self.right += count * right
        self.wrong += count * (not right)
        if said:
            self.instead[said] += count


@dataclass(frozen=True, slots=True)
class FeedbackSummary:
    """All opinions together, by how surely the name was said, and by the name, most often wrong first."""

    total: OpinionCount
    certainties: dict[str, OpinionCount]
    labels: dict[str, OpinionCount]


class Opinions:
    """One opinion for each person and image of an answer; a later one replaces it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(Feedback)
        self._give = insert.on_conflict_do_update(
            index_elements=["answer_id", "image", "user_id"],
            set_={"right": insert.excluded.right, "said": insert.excluded.said},
        )

    async def give(
        self,
        *,
        answer_id: int,
        image: int,
        user_id: int,
        guild_id: int | None,
        model: str,
        label: str,
        certainty: str,
        right: bool,
        said: str | None = None,
    ) -> None:
        """Keep one person's opinion on one image of an answer.

        `image` counts from 0 within the answer. `label` is what Whatsit said and `certainty` how surely;
        `said` is what the person says it is, and is cut after `MAX_SAID` characters.
        """
        image_row = {"answer_id": answer_id, "image": image, "user_id": user_id, "guild_id": guild_id}
        name = {"model": model, "label": label, "certainty": certainty}
        opinion = {"right": right, "said": said and said.strip()[:MAX_SAID]}
        await self._database.write(Write(self._give, {**image_row, **name, **opinion}))

    async def on(self, answer_id: int) -> Sequence[Feedback]:
        """Return the opinions on one answer, by image and person."""
        return await self._database.read(
            select(Feedback).where(Feedback.answer_id == answer_id).order_by(Feedback.image, Feedback.user_id)
        )

    async def of_guild(self, guild_id: int) -> Sequence[Feedback]:
        """Return the opinions given in a server, those on its oldest answer first."""
        return await self._database.read(
            select(Feedback)
            .where(Feedback.guild_id == guild_id)
            .order_by(Feedback.answer_id, Feedback.image, Feedback.user_id)
        )

    async def summary(self, guild_id: int | None = None, *, since: datetime | None = None) -> FeedbackSummary:
        """Count the opinions given in a server; without one, all that there are.

        `since`: only those on answers that were made then or later.
        """
        what = (Feedback.label, Feedback.certainty, Feedback.right, Feedback.said)
        query = select(*what, func.count()).group_by(*what)
        if guild_id is not None:
            query = query.where(Feedback.guild_id == guild_id)
        if since is not None:
            query = query.where(Feedback.answer_id >= discord.utils.time_snowflake(since))
        total = OpinionCount()
        certainties: defaultdict[str, OpinionCount] = defaultdict(OpinionCount)
        labels: defaultdict[str, OpinionCount] = defaultdict(OpinionCount)
        for label, certainty, right, said, count in await self._database.read_rows(query):
            counted = [total, labels[label], *([certainties[certainty]] if certainty else [])]
            for each in counted:
                each.add(count, right=right, said=said)
        worst_first = sorted(labels.items(), key=lambda item: (-item[1].wrong, -item[1].right, item[0]))
        return FeedbackSummary(total, dict(certainties), dict(worst_first))
