"""Calls that fail against the local OpenTok for a bug of the SDK's own: (SDK, call) to the bug."""

UNREGISTER = "The method of a callback calls `unregister`, which its module does not have."
STREAM = "It takes the answer for text and parses once more what its transport has parsed already."
NO_CONTENT = "It takes the documented 204 for a failure."
T1 = "It signs T1 tokens as if the Vonage private key, which it has as bytes, were a secret."

EXCEPTIONS = {
    ("npm opentok 2.15.2", "callback.remove, by itself"): UNREGISTER,
    ("npm opentok 2.15.2", "render.stop"): NO_CONTENT,
    ("npm opentok 2.23.2", "callback.remove, by itself"): UNREGISTER,
    ("npm opentok 2.23.2", "stream.get"): STREAM,
    ("npm opentok 2.23.2, Vonage", "callback.remove, by itself"): UNREGISTER,
    ("npm opentok 2.23.2, Vonage", "stream.get"): STREAM,
    ("PyPI opentok 3.15.0", "render.stop"): NO_CONTENT,
    ("PyPI opentok 3.15.0, Vonage", "render.stop"): NO_CONTENT,
    ("PyPI opentok 3.15.0, Vonage", "token, T1"): T1,
}
