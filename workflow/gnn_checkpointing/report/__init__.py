"""One page data, two faces: HTML by Jinja, PDF by Typst."""
