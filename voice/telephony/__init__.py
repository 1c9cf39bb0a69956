"""Telephone doors: Asterisk AudioSocket over TCP, SIP/RTP over UDP."""
