"""Products: what people do with the ledger, one folder each with the same files.

A product is a value of type :class:`formicary.products.anatomy.Product`, called ``PRODUCT`` in the folder's
``__init__.py``. The machine is given a list of them; nothing here registers itself.
"""
