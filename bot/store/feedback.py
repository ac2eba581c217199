"""What people answered to "Was this right?"."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from bot.store.database import Database, Write
from bot.store.tables import Feedback

__all__ = ["MAX_SAID", "Opinions"]

MAX_SAID = 100
"""Characters of "what is it?" that are kept; a name is shorter."""


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
        right: bool,
        said: str | None = None,
    ) -> None:
        """Keep one person's opinion on one image of an answer.

        `image` counts from 0 within the answer. `label` is what Whatsit said; `said` is what the person says
        it is, and is cut after `MAX_SAID` characters.
        """
        image_row = {"answer_id": answer_id, "image": image, "user_id": user_id, "guild_id": guild_id}
        opinion = {"model": model, "label": label, "right": right, "said": said and said.strip()[:MAX_SAID]}
        await self._database.write(Write(self._give, {**image_row, **opinion}))

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
