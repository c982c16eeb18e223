"""`al`: one thin module per noun, loaded when the noun is used."""
