"""Discord's limits, in characters unless said otherwise; what is longer is refused whole.

https://docs.discord.com/developers/resources/message and https://docs.discord.com/developers/components/reference
"""

MESSAGE_CONTENT = 2000
ALT_TEXT = 1024
"""The description of an attachment."""
EMBEDS = 10
"""Embeds of one message."""
EMBEDS_CHARACTERS = 6000
"""All embeds of one message together."""
EMBED_DESCRIPTION = 4096

FILE_BYTES = 10 * 1024 * 1024
"""Bytes of a file, where nobody pays for more: https://docs.discord.com/developers/reference#uploading-files"""

CUSTOM_ID = 100
BUTTON_LABEL = 80
SELECT_OPTIONS = 25
"""Options of a select menu."""
SELECT_PLACEHOLDER = 150
OPTION_LABEL = 100
OPTION_DESCRIPTION = 100
OPTION_VALUE = 100

MODAL_TITLE = 45
FIELD_LABEL = 45
"""The label above a field of a modal."""
FIELD_DESCRIPTION = 100

COMMAND_CHOICES = 25
"""Choices that a command's option offers, or that complete what somebody types."""
CHOICE_NAME = 100

FILE_DESCRIPTION = 1024
"""The alt text of a file."""
