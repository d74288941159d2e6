"""The browsers' side of the local OpenTok: what the web SDK says, and wants to hear.

The protocol is not documented. Its messages are those of OpenTok.js 2.2, which was published under
the MIT licence; framing and session info were observed between a browser and this program.
"""
