"""A Discord of our own on the loopback interface, for what simcord bypasses.

The real bot, discord.py's real retries, reconnects and time-outs, and the real downloader talk to it over
real sockets. `world` holds what exists and what was asked, `rest` answers requests, `gateway` pushes events,
`cdn` serves files, each with the failures a test asks for; `wire` puts them together and plays the people,
`bots` runs the real bot on it, in this process or in one of its own.
"""
