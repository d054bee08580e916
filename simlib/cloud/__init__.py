"""A mocked AWS that obeys its policies: one gate in front of moto."""
