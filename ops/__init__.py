"""Operations: set-up, start, model weights."""
