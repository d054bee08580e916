"""Policies to edit: documents, what is wrong in them, where they are stored, and the editor that shows them."""
