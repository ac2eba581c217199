"""What a message costs the process of the bot, and everything that it talks to."""
