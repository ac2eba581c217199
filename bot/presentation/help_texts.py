"""What somebody is told who asks where there is nothing to look at."""

from __future__ import annotations

from bot.i18n import N_, Language

MENU = N_("What's in this picture?")
LEFT_ALONE = N_("The poster has asked me not to look at their pictures.")
LEFT_ALONE_YOURSELF = N_(
    "You asked me not to look at the pictures you post. You can show me one with `/classify`, or change that "
    "in `/preferences`."
)


def help_text(language: Language, *, manages: bool) -> str:
    """Return what the bot does and how to ask it; `manages`: for somebody who may change the settings."""
    say = language.gettext
    ways = (
        say(N_("Post a picture in a channel where I reply, or send me one in a direct message.")),
        say(N_("Mention me with a picture, or in a reply to one.")),
        say(N_("Use `/classify`: up to five pictures at once, and the answer just for you if you like.")),
        say(N_("Open a message's menu and choose Apps, then **{menu}**: only you see that answer.")),
    )
    lines = [
        say(N_("I say what's in a picture. There are several ways to ask me:")),
        *(f"- {way}" for way in ways),
        "",  # or what follows would be shown as part of the last way
        say(N_("Buttons below an answer show more guesses, describe the picture, or delete the answer.")),
        say(N_("`/preferences` is for you: your language, private answers, or leaving your pictures alone.")),
    ]
    lines.append(
        say(N_("`/privacy` is for you too: what I keep about you, a copy of it, and to have it forgotten."))
    )
    if manages:
        lines.append(
            say(N_("`/settings panel` is for this server: where and how I reply, and to how many pictures."))
        )
    lines.append(say(N_("I look at pictures on my owner's own machines, and keep none.")))
    return "\n".join(lines).format(menu=say(MENU))


def left_alone_sentence(author_id: int, asker_id: int, language: Language) -> str:
    """Return why the pictures of this author are not looked at."""
    return language.gettext(LEFT_ALONE_YOURSELF if author_id == asker_id else LEFT_ALONE)


def no_picture_sentence(
    language: Language, *, in_guild: bool, replied: bool, reads_messages: bool, has_commands: bool
) -> str:
    """Return the answer to a question without a picture.

    `replied`: it was asked in a reply to another message. `reads_messages`: the bot sees the pictures of
    messages that do not address it. `has_commands`: a Discord-compatible server has none.
    """
    if replied and in_guild and not reads_messages:
        return language.gettext(
            "I can't see the pictures in other messages here. Open that message's menu and choose "
            "Apps, then **{menu}**."
        ).format(menu=language.gettext(MENU))
    if replied:
        return language.gettext("I don't see a picture in that message. Reply to one that has a picture.")
    if in_guild and has_commands:
        return language.gettext(
            "Show me a picture and I'll say what's in it: post it and mention me, or use `/classify`."
        )
    if in_guild:
        return language.gettext("Show me a picture and I'll say what's in it: post it and mention me.")
    return language.gettext("Send me a picture, and I'll say what's in it.")
