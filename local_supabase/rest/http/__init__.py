"""The HTTP interface of the REST service: requests, responses, errors and descriptions.

Start reading with `service`: it parses a request with `query`, plans it with `sql` and runs it as the caller.
"""
