"""Learns from a tenant's own rows what a text is about, and answers with reasons or not at all.

Training needs scikit-learn (the extra `ml`) and imports it only when it begins; answering needs numpy alone, since
every web process answers. Nothing here knows a database, a clock or Django: rows and facts come as arguments, and the
same rows give the same bytes.
"""
