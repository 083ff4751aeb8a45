"""The SIP of the measurements' telephones: messages, and the answer to a challenge as the RFCs work it out."""

import re
import secrets

from bench import _sip

INVITE = (
    b"INVITE sip:6001@127.0.0.1:4000 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:139@127.0.0.1>;tag=far\r\nTo: <sip:6001@127.0.0.1>\r\nCall-ID: one\r\nCSeq: 7 INVITE\r\n"
    b"Contact: <sip:hotline@127.0.0.1:5060>\r\nContent-Length: 0\r\n\r\n"
)
CHALLENGE = (  # of RFC 2617, 3.5
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
WHO = {"user": "Mufasa", "password": "Circle Of Life", "method": "GET", "uri": "/dir/index.html"}


def response_of(authorization):
    return re.search(r'response="(\w+)"', authorization)[1]


def test_a_request_is_read():
    invite = _sip.parsed(INVITE)
    assert (invite.status, invite.method, invite.number, invite.user) == (0, "INVITE", "7", "6001")
    assert (invite["call-id"], invite.contact) == ("one", "sip:hotline@127.0.0.1:5060")


def test_what_only_keeps_a_path_open_is_no_message():
    assert _sip.parsed(b"\r\n\r\n") is None


def test_an_answer_repeats_what_belongs_to_its_request_and_adds_our_tag():
    answer = _sip.parsed(_sip.response(_sip.parsed(INVITE), "200 OK", tag="near", sdp=_sip.audio(9)))
    assert (answer.status, answer.method) == (200, "INVITE")
    assert answer["To"] == "<sip:6001@127.0.0.1>;tag=near"
    assert [answer[name] for name in ("Via", "From", "Call-ID", "CSeq")] == [
        "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
        "<sip:139@127.0.0.1>;tag=far",
        "one",
        "7 INVITE",
    ]


def test_a_header_that_stands_twice_is_answered_twice():
    twice = INVITE.replace(b"From:", b"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\nFrom:")
    answer = _sip.response(_sip.parsed(twice), "200 OK")
    assert answer.count(b"Via: SIP/2.0/UDP") == 2


def test_a_challenge_without_qop_is_answered():
    assert response_of(_sip.credentials(CHALLENGE, **WHO)) == "670fd8c2df070c60b045671b8b24ff02"


def test_a_challenge_with_qop_is_answered_as_in_rfc_2617(monkeypatch):
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0a4f113b")
    told = _sip.credentials(f'{CHALLENGE}, qop="auth"', **WHO)
    assert response_of(told) == "6629fae49393a05397450978507c4ef1"
    assert 'qop=auth, nc=00000001, cnonce="0a4f113b"' in told
