"""The frames of the browsers' protocol, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.browser.framing import KINDS, MESSAGE, PONG, BadFrame, Frame, pack, unpack

texts = st.text(max_size=300)
frames = st.builds(
    Frame,
    kind=st.sampled_from(sorted(KINDS)),
    addresses=st.lists(texts, max_size=5).map(tuple),
    headers=st.dictionaries(texts, texts, max_size=5),
    data=st.binary(max_size=300),
)


def test_a_message_has_lengths_addresses_headers_and_data():
    frame = Frame(MESSAGE, ("to",), {"NAME": "ü"}, b"{}")
    assert pack(frame) == (
        b"\x00\x00\x00\x15" b"\x00\x00" b"\x02"
        b"\x01" b"\x00\x02to"
        b"\x01" b"\x00\x04NAME" b"\x00\x02\xc3\xbc"
        b"{}"
    )  # fmt: skip


def test_a_pong_is_nine_bytes():
    assert pack(Frame(PONG)) == b"\x00\x00\x00\x05\x00\x00\x08\x00\x00"


@given(frames)
def test_a_frame_packed_is_read_again(frame):
    assert unpack(pack(frame)) == frame


@given(frames, st.data())
def test_a_frame_cut_short_is_refused(frame, data):
    content = pack(frame)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(BadFrame):
        unpack(content[:cut])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_refused(content):
    try:
        unpack(content)
    except BadFrame:
        return


@pytest.mark.parametrize("kind", [5, 6, 10, 255])
def test_an_unknown_type_is_refused(kind):
    with pytest.raises(BadFrame):
        unpack(b"\x00\x00\x00\x05\x00\x00" + bytes([kind]) + b"\x00\x00")


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(BadFrame):
        unpack(b"\x00\x00\x00\x08\x00\x00\x02\x01\x00\x01\xff\x00")
