"""Text to speech: a file per engine behind :class:`hotline.ports.Synthesiser`."""
