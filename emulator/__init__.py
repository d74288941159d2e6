"""A local OpenTok: sessions, client tokens and archives over the real REST protocol.

Run it with `python -m emulator`. It is a program of its own, for development and tests.
"""
