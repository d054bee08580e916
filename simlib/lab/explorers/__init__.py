"""The panels that ask: a table of questions over the documents that answer them, in three arrangements.

In `AccessExplorer` a row is a request, in `TrustExplorer` a caller, in `CrossAccount` a side.
"""
