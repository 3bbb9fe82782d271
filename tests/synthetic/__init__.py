"""Made data, all of it: tables of known laws, results with any fields, and what is made from them."""
