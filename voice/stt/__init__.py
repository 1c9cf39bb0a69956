"""Speech to text: a file per engine behind :class:`hotline.ports.Recogniser`."""
