"""Text to speech: number words, synthesisers, and the library of recorded and spoken prompts."""
