"""Providers of OpenID Connect: who says to this horde who somebody is (docs/adr/0032).

`provider` is one of them with what was learnt of it, `calls` how it is asked, `tokens` how what it
signed is checked, `configured` how the settings become providers. Operators name providers, so they
may be anywhere, also in the network behind us; `ordu.outside` is for what strangers name.
"""
