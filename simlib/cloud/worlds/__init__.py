"""Worlds as files: everything a world holds, in one readable JSON document, and back.

What AWS has a shape for has that shape: identities and their policies are written as AWS's
`get-account-authorization-details` tells of them, so that such a dump of somebody's own account is a world too. What a
file says is data: documents, names, dates and the mock's own secrets; reading it runs nothing of it.
"""
