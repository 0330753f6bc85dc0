"""REST v1. An endpoint parses, calls and renders: it writes through flows and reads through queries.

Every answer that is no success is a problem document (RFC 9457); another tenant's ids are not found.
"""
