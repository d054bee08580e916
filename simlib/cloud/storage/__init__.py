"""moto as a store: what it keeps, as values, and the calls it carries out."""
